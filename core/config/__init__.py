"""The configuration: `model` has the values, `load` reads and checks the files, `edit` changes them and keeps comments."""
