"""Records as lines of a zone file."""

from __future__ import annotations

import dns.zone

from core.operations import Record
from tui.zone_file import zone_line

HEAD = "$ORIGIN example.com.\n@ 60 IN SOA ns. root. 1 1 1 1 1\n@ 60 IN NS ns.\n"


def test_a_proof() -> None:
    """A proof is one quoted string at a fully qualified name."""
    record = Record(name="_acme-challenge.example.com", type="TXT", value="evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA")
    assert zone_line(record) == '_acme-challenge.example.com. 60 IN TXT "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"'


def test_what_a_name_server_reads() -> None:
    """Quotes, backslashes, semicolons and 300 characters come back as they were when the line is read as a zone file."""
    value = 'letsencrypt.org; accounturi="x\\y"; policy=wildcard' + "z" * 260
    line = zone_line(Record(name="_validation-persist.example.com", type="TXT", value=value))
    zone = dns.zone.from_text(HEAD + line + "\n", relativize=False)
    found = zone.get_rdataset("_validation-persist.example.com.", "TXT")
    assert found is not None
    assert b"".join(found[0].strings).decode() == value


def test_nothing_breaks_the_line() -> None:
    """A line feed or an escape in a value makes no second line."""
    assert zone_line(Record(name="a", type="TXT", value="x\ny\x1b[1m")).isprintable()
