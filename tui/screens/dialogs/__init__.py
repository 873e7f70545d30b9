"""Dialogs: questions and messages shown on top of a screen."""
