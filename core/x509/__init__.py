"""Certificates, keys and chains (RFC 5280): bytes in, values out. No files, no clock, no network."""
