"""Certificates from elsewhere: requested, examined, completed, applied."""
