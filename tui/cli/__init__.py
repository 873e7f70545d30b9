"""The command line: takes arguments, calls the engine, prints text or one JSON object, and returns an exit status."""
