"""DNS for proofs: TXT records at providers, what name servers say of them, and whose zone a name is in."""
