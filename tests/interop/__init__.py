"""Other ACME servers, run for real: what works there is a table of the README."""
