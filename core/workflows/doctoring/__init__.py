"""Finds what would prevent an issuance, and how to fix it: one file for each subject, and `doctor` with the list of all checks."""
