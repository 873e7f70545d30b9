"""Finds certificates of other ACME clients, and takes them over."""
