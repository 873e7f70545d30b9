"""Certificates that somebody brings: told apart, put in order and checked. Pure: bytes and the time in, values out."""
