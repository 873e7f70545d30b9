"""The wording that the console and the command line share. Pure, and without Textual."""
