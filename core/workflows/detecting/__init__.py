"""Detects the TLS services of this box, and adds them as targets."""
