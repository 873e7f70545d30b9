"""Copies and removals: export, delete, undelete, revoke, backup, restore, report, and the check of everything stored."""
