"""Notifications, metrics and log entries at the end of a run."""
