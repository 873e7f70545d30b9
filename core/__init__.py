"""certdeck's engine: no terminal, no printing, no argument parsing, no exit status."""
