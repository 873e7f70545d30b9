"""Parses, orders and checks uploaded certificates. Pure: takes bytes and the time, returns values."""
