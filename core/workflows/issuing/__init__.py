"""Issues a certificate for a request: planned, ordered, validated, stored."""
