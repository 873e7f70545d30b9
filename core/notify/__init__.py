"""Notifications: the events that a channel reports, and how a message is sent."""
