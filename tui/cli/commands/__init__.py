"""The commands, with one file for each subject. Each file has `COMMANDS`; `tui.cli.catalogue` maps commands to files."""
