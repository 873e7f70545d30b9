"""Finds the TLS services of a box: which ones run, where their certificate and key files are, and what they present.

Nothing is changed. If a service's own tool can print the configuration, it is run; otherwise the file is read. What cannot be
read is reported, never guessed. How a kind is found is part of its row (`core.targets.detection`); kinds whose configuration is
more than an option file have a module in `readers`.
"""
