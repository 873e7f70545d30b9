"""DNS for domain validation: TXT records at providers, queries to name servers, and the zone that a name is in."""
