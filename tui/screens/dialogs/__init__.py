"""Questions and messages that stand over a screen."""
