"""Readers of certificate, key, names and ports from a service's configuration: one module each, with a function `read`."""
