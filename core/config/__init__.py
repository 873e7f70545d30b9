"""What people configure: `model` holds the values, `load` reads and checks the files, `edit` changes them and keeps comments."""
