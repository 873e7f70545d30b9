"""A small client of RFC 8555 (ACME) and RFC 9773 (ARI): one file for each resource.

Signing, key thumbprints and the JWS envelope are those of the `acme` and `josepy` libraries; nonces, retries, polling and
resuming are ours. Everything goes through an `AcmeSession`; nothing here touches files, sockets or the wall clock itself.
What a CA sends is data: read tolerantly, made harmless before it is shown, and never believed to be complete.
"""
