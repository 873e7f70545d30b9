"""A zone full of records that are not ours: a provider must leave them as they are, byte for byte."""

from __future__ import annotations

from dataclasses import dataclass

ZONE = "example.com"
CHALLENGE = f"_acme-challenge.{ZONE}"
OTHERS_VALUE = "Xk3_another-client-s-proof-that-must-stay-0"
"""A value at the challenge's own name, of some other client."""


@dataclass(frozen=True, slots=True, order=True)
class Foreign:
    """One record of somebody else."""

    name: str
    """Fully qualified, without a final dot."""
    type: str
    ttl: int
    content: str
    """TXT: plain. Others: as in a zone file."""


FOREIGN = (
    Foreign(ZONE, "A", 3600, "192.0.2.1"),
    Foreign(ZONE, "MX", 14399, "10 mail.example.com."),
    Foreign(ZONE, "MX", 14399, "20 mail2.example.net."),
    Foreign(ZONE, "TXT", 7207, "v=spf1 include:_spf.example.net ~all"),
    Foreign(ZONE, "TXT", 7207, 'a "quoted" word \\ and a backslash'),
    Foreign(ZONE, "CAA", 3600, '0 issue "letsencrypt.org"'),
    Foreign(CHALLENGE, "TXT", 1234, OTHERS_VALUE),
    Foreign(f"mail._domainkey.{ZONE}", "TXT", 86400, "v=DKIM1; k=rsa; p=" + "MIIBIjANBgkqhkiG9w0BAQ" * 17),
    Foreign(f"_sip._tcp.{ZONE}", "SRV", 601, "10 60 5060 sip.example.com."),
    Foreign(f"www.{ZONE}", "CNAME", 3600, "example.com."),
    Foreign(f"*.{ZONE}", "A", 3600, "192.0.2.9"),
)
