"""Both terminal front ends over the engine: the Textual console and the headless command line."""
