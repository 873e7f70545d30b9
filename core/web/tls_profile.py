"""Protocols and ciphers: Mozilla's "Server Side TLS", profile intermediate, guideline 5.8 of May 2026.

Six suites for TLS 1.2, all with forward secrecy and authenticated encryption; 5.8 dropped those with a classic Diffie-Hellman
exchange. The suites of TLS 1.3 and the curves are left to the server's library: its defaults match the guideline, as far as it
supports them.
"""

from __future__ import annotations

VERSION = "5.8"
CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
)
OPENSSL = ":".join(CIPHERS)
"""In the format of OpenSSL's cipher lists."""
