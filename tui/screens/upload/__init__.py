"""The upload screen for a certificate from elsewhere: one input box, immediate checks, a comparison, and applying."""

from tui.screens.upload.screen import UploadScreen

__all__ = ["UploadScreen"]
