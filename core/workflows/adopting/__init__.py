"""Certificates of other ACME clients: looked at, taken over."""
