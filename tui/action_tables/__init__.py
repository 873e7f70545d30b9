"""The actions of the console, by what they are about. `tui.actions` joins them to one table."""
