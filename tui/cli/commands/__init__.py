"""The commands, one subject a file. Each file holds `COMMANDS`; `tui.cli.catalogue` says which file holds which."""
