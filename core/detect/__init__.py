"""Finds the TLS services of a box: which run, where their configuration keeps certificate and key, and what they present.

Nothing is changed. A service's own tool is asked where it has one that answers; else its file is read. What cannot be read is
reported, never guessed. How a kind is found is part of its row (`core.targets.detection`); what needs more than an option file has
a module in `readers`.
"""
