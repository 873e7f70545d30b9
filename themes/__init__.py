"""Colour themes as data: one TOML file each. A vendor drops another one in."""
