"""A certificate from a request: planned, ordered, validated, stored."""
