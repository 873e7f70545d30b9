"""Uploaded certificates: parsed, put in order and checked. Pure: bytes and the time in, values out."""
