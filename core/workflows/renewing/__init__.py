"""The scheduled run: what is due, renewing it, and what is remembered of it."""
