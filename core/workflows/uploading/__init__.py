"""Uploaded certificates: signing requests for them, checks, chain completion, import."""
