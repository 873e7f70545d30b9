"""One DNS provider a file: its fields, its words, its interface. `core.dns.catalogue` is the table of them."""
