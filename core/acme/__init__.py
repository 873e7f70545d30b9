"""A small client for RFC 8555 (ACME) and RFC 9773 (ARI): one file for each resource.

Signatures, key thumbprints and the JWS envelope come from the `acme` and `josepy` libraries; nonces, retries, polling and
resuming are our own. All requests go through an `AcmeSession`; nothing here uses files, sockets or the wall clock directly.
What a CA sends is data: parsed leniently, made harmless before it is shown, and never assumed to be complete.
"""
