"""Reads what other ACME clients keep on this box: certificates, marks of revocation, timers. Changes nothing.

Each client has one file with `NAME`, `WORDS` (its names in a timer's line), `bases(root)`, `find_in(base)` and
`way(root, found)`. Nothing of another client is locked, sourced or run, and what cannot be read is skipped.
"""
