"""The scheduled run: finds what is due, renews it, and records the result."""
