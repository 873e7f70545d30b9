"""Homes that earlier releases left, and how such an archive is made."""
