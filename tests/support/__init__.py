"""Doubles for the engine's ports, and the real servers that the tests drive."""
