"""The actions of the console, by subject. `tui.actions` joins them into one table."""
