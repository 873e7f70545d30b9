"""The console's screens, one module each, loaded when they are opened."""
