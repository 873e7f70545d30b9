"""Copies and removals: export, delete, undelete, revoke, backup, report, and the look at what is stored."""
