"""The command line: arguments in, one engine call, text or one JSON object out, and an exit status."""
