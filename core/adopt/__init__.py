"""What other ACME clients keep on this box: certificates, marks of revocation, timers. Everything here only reads.

Each client is one file with `NAME`, `WORDS` (how a timer's line calls it) and `bases(root)`, `find_in(base)` and
`way(root, found)`. Nothing of theirs is locked, sourced or run, and whatever cannot be read is passed over.
"""
