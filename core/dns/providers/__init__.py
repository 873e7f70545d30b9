"""One DNS provider per file: its fields, messages and API. The table is in `core.dns.catalogue`."""
