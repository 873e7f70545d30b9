"""Widgets of the screens: they show the values passed to them and do not use the engine."""
