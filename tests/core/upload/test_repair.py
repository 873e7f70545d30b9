"""PEM that went through mail, a word processor or a configuration file: put right where that is sure, and said."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from binascii import hexlify
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12

from core.upload.repair import hidden_values, mail_parts, repaired
from tests.support.authority import Authority
from tests.support.clock import NOON
from tests.support.uploads import judge

SHOP = Authority.new(now=NOON).leaf(["shop.example.com"])
ALL = SHOP.fullchain_pem + SHOP.key_pem
TEXT = ALL.decode()
CHAIN64, KEY64 = b64encode(SHOP.fullchain_pem), b64encode(SHOP.key_pem)
PFX = pkcs12.serialize_key_and_certificates(b"a", SHOP.key, SHOP.certificate, SHOP.chain, BestAvailableEncryption(b"x"))


def mail(encoding: str, *, attached: bool = False) -> bytes:
    """Return a mail with everything in it, as Python's own library writes one."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = "your certificate"
    message.set_content("Hello,\n\nhere it is: " + ("see below" if attached else "\n" + TEXT), cte=encoding)
    if attached:
        message.add_attachment(ALL, "application", "x-pem-file", filename="all.pem", cte="base64")
    return message.as_bytes()


def quoted_printable() -> bytes:
    """Return the body of a mail alone, as a mail program shows its source."""
    return mail("quoted-printable").partition(b"\r\n\r\n")[2]


def secret() -> bytes:
    data = b"  tls.crt: " + CHAIN64 + b"\n  tls.key: " + KEY64
    return b"apiVersion: v1\nkind: Secret\ndata:\n" + data + b"\ntype: kubernetes.io/tls\n"


def folded() -> bytes:
    text = b64encode(SHOP.fullchain_pem).decode()
    rows = "\n".join("    " + text[at : at + 76] for at in range(0, len(text), 76))
    return f"certificate: |\n{rows}\nkey: {b64encode(SHOP.key_pem).decode()}\n".encode()


ALTERED: dict[str, Callable[[], bytes]] = {
    "en-dashes": lambda: TEXT.replace("-----", "\u2013\u2013\u2013").encode(),
    "em-dashes": lambda: TEXT.replace("-----", "\u2014\u2014-").encode(),
    "minus-signs": lambda: TEXT.replace("-----", "\u2212" * 5).encode(),
    "four-dashes": lambda: ALL.replace(b"-----", b"----"),
    "lower-case": lambda: ALL.replace(b"BEGIN CERTIFICATE", b"begin certificate").replace(b"END CERTIFICATE", b"end certificate"),
    "quoted-mail": lambda: b"".join(b"> " + line for line in ALL.splitlines(keepends=True)),
    "quoted-twice": lambda: b"".join(b">> " + line for line in ALL.splitlines(keepends=True)),
    "quoted-in-a-table": lambda: b"".join(b"| " + line for line in ALL.splitlines(keepends=True)),
    "quoted-printable": quoted_printable,
    "mail-quoted-printable": lambda: mail("quoted-printable"),
    "mail-base64": lambda: mail("base64"),
    "mail-attachment": lambda: mail("7bit", attached=True),
    "escaped-once": lambda: json.dumps(TEXT).encode(),
    "escaped-twice": lambda: json.dumps({"a": json.dumps({"b": TEXT})}).encode(),
    "escaped-slashes": lambda: json.dumps(TEXT).replace("/", "\\/").encode(),
    "escaped-plus": lambda: json.dumps(TEXT).replace("+", "\\u002B").encode(),
    "xml-line-ends": lambda: b"<key>" + ALL.replace(b"\n", b"&#10;") + b"</key>",
    "html": lambda: b"<p>" + ALL.replace(b"\n", b"<br>\n") + b"</p>",
    "percent": lambda: ALL.replace(b"+", b"%2B").replace(b"/", b"%2F").replace(b"=", b"%3D").replace(b"\n", b"%0A"),
    "kubernetes-secret": secret,
    "yaml-folded": folded,
    "json-base64": lambda: json.dumps({"crt": CHAIN64.decode(), "key": KEY64.decode()}).encode(),
    "xml-base64": lambda: b"<?xml version='1.0'?><ca><crt>" + CHAIN64 + b"</crt><prv>" + KEY64 + b"</prv></ca>",
    "utf-32": lambda: TEXT.encode("utf-32"),
    "utf-32-without-mark": lambda: TEXT.encode("utf-32-be"),
}  # fmt: skip


@pytest.mark.parametrize("case", ALTERED)
def test_what_was_altered_on_its_way_is_put_right(case: str) -> None:
    """Certificate, key and chain come out whole, and that they were put right is said."""
    judged = judge(ALTERED[case]())
    assert judged.accepted, judged.text
    assert judged.material is not None
    assert judged.material.key_matches
    assert len(judged.material.way.sent) == 1
    assert judged.pieces.notes or case == "escaped-once"


def test_a_pfx_inside_a_text_is_found() -> None:
    """A PKCS#12 file between tags, as easy-rsa writes it inline, is opened."""
    judged = judge(b"<pkcs12>\n" + b64encode(PFX) + b"\n</pkcs12>\n", passphrase=b"x")
    assert judged.accepted, judged.text


def test_a_hex_dump_is_read() -> None:
    """A certificate as a router shows it, in groups of hex digits, is read."""
    digits = hexlify(SHOP.certificate.public_bytes(Encoding.DER)).decode().upper()
    groups = " ".join(digits[at : at + 8] for at in range(0, len(digits), 8))
    rows = "\n".join("  " + groups[at : at + 36] for at in range(0, len(groups), 36))
    assert judge((rows + "\n  quit\n").encode(), SHOP.key_pem, SHOP.chain_pem).accepted


def test_several_der_certificates_in_one_file_are_read() -> None:
    """DER files that were put one behind the other give all of their certificates."""
    both = b"".join(each.public_bytes(Encoding.DER) for each in (SHOP.certificate, *SHOP.chain))
    judged = judge(both, SHOP.key_pem)
    assert judged.accepted, judged.text
    assert len(judged.pieces.certificates) == 2


@pytest.mark.parametrize("case", ["lost-line", "changed-sign", "dashes-in-the-middle"])
def test_what_cannot_be_put_right_is_still_refused(case: str) -> None:
    """Nothing is guessed: what is lost or changed in the content is named as damaged."""
    lines = SHOP.certificate_pem.splitlines(keepends=True)
    altered = {
        "lost-line": b"> " + b"> ".join([*lines[:3], *lines[4:]]),
        "changed-sign": SHOP.certificate_pem.replace(lines[2][:1], b"*", 3),
        "dashes-in-the-middle": lines[0] + b"\xe2\x80\x94" + b"".join(lines[1:]),
    }[case]
    judged = judge(altered, SHOP.key_pem)
    assert judged.failed[0] == "parse"


HOSTILE = {
    "dashes": b"-" * 1_000_000,
    "typographic-dashes": "\u2014".encode() * 300_000,
    "quotes": b"> " * 500_000 + b"\n> -----BEGIN X-----",
    "backslashes": b"\\" * 1_000_000,
    "blanks-in-hex": b"3082" + b" " * 999_000 + b"z",
    "mail-headers": b"Content-Transfer-Encoding: base64\n" * 30_000,
    "mail-parts": b"Content-Transfer-Encoding: base64\n\nMAAA\n--x\n" * 22_000,
    "short-runs": (b"A" * 39 + b" ") * 25_000,
    "tags": b"<" * 1_000_000,
    "begins": b"-----BEGIN " * 90_000,
    "small-elements": b"0\0" * 500_000,
    "values": (b"M" * 60 + b":") * 16_000,
}


@pytest.mark.parametrize("case", HOSTILE)
def test_nothing_makes_it_slow(case: str) -> None:
    """A mebibyte made to be searched again and again is answered within a second."""
    before = time.process_time()
    judged = judge(HOSTILE[case])
    assert time.process_time() - before < 4
    assert not judged.accepted


def test_each_step_leaves_good_pem_as_it_is() -> None:
    """A whole PEM comes through every step unchanged, and holds no mail and no value."""
    assert repaired(ALL) == (ALL, "")
    assert mail_parts(ALL) == []
    assert hidden_values(b"I will send it tomorrow.") == []
