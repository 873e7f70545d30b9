"""The screen that takes a certificate from elsewhere: everything in one box, checks as one goes, old beside new, apply."""

from tui.screens.upload.screen import UploadScreen

__all__ = ["UploadScreen"]
