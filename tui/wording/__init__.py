"""What certdeck says: the words that the console and the command line share. Pure, and without Textual."""
