"""Notifications: who is told of what, and how a message gets there."""
