"""Certificates read as values: what they say, and what hostile or damaged ones cannot do."""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from core.x509.certificate import Certificate, MalformedCertificate, parse_der, parse_pem, printable, to_pem
from tests.support.authority import Authority, self_signed

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
AUTHORITY = Authority.new(now=NOW)


def a_name(**attributes: str) -> x509.Name:
    oids = {"cn": NameOID.COMMON_NAME, "o": NameOID.ORGANIZATION_NAME, "c": NameOID.COUNTRY_NAME}
    return x509.Name([x509.NameAttribute(oids[key], value) for key, value in attributes.items()])


def made(
    *,
    subject: x509.Name | None = None,
    issuer: x509.Name | None = None,
    san: list[x509.GeneralName] | None = None,
    serial: int = 1,
    extensions: tuple[x509.ExtensionType, ...] = (),
) -> bytes:
    """Return the DER of a certificate with just what is asked for."""
    own = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject or x509.Name([]))
        .issuer_name(issuer or a_name(cn="Issuer"))
        .public_key(own.public_key())
        .serial_number(serial)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=90))
    )
    for extension in (*((x509.SubjectAlternativeName(san),) if san else ()), *extensions):
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(own, hashes.SHA256()).public_bytes(Encoding.DER)


def test_everything_the_status_shows_is_read() -> None:
    """Subject, issuer, dates, names, self-signed, fingerprint and serial come out as the certificate says (ST-42..ST-49)."""
    leaf = AUTHORITY.leaf(["shop.example.com", "*.example.com", "192.0.2.7", "2001:db8::1"], days=90)
    certificate = parse_der(leaf.certificate.public_bytes(Encoding.DER))
    assert certificate.subject == "shop.example.com"
    assert certificate.issuer == certificate.issuer_cn == "Test Intermediate"
    assert (certificate.not_before, certificate.not_after) == (NOW, NOW + timedelta(days=90))
    assert certificate.names == ("shop.example.com", "*.example.com", "192.0.2.7", "2001:db8::1")
    assert certificate.sha256 == leaf.sha256
    assert int(certificate.serial, 16) == leaf.certificate.serial_number
    assert not certificate.self_signed
    assert not certificate.is_ca
    assert certificate.key_type == "ec-256"
    assert certificate.public_key_spki == leaf.key.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )


def test_times_are_aware() -> None:
    """Dates carry their zone, so that comparing them with the clock cannot go wrong by hours."""
    certificate = parse_pem(AUTHORITY.root_pem)[0]
    assert certificate.not_before.tzinfo is UTC
    assert certificate.not_after.tzinfo is UTC


@pytest.mark.parametrize(
    ("subject", "san", "shown", "names"),
    [
        pytest.param({"cn": "Box"}, ["a.example.com"], "Box", ("a.example.com",), id="common-name"),
        pytest.param(
            {}, ["a.example.com", "b.example.com"], "a.example.com", ("a.example.com", "b.example.com"), id="san"
        ),
        pytest.param({"cn": "   "}, ["a.example.com"], "a.example.com", ("a.example.com",), id="blank-common-name"),
        pytest.param({"cn": "Old.Example.COM"}, [], "Old.Example.COM", ("old.example.com",), id="no-san"),
        pytest.param({"o": "Acme", "c": "DE"}, [], "C=DE,O=Acme", (), id="whole-name"),
        pytest.param({}, [], "", (), id="nothing"),
        pytest.param({}, ["UPPER.example.COM"], "upper.example.com", ("upper.example.com",), id="upper-case"),
    ],
)
def test_the_subject_is_the_best_there_is(
    subject: dict[str, str], san: list[str], shown: str, names: tuple[str, ...]
) -> None:
    """Without a common name the first SAN stands for the subject, else the whole name (ST-42)."""
    certificate = parse_der(made(subject=a_name(**subject), san=[x509.DNSName(each) for each in san]))
    assert certificate.subject == shown
    assert certificate.names == names


@pytest.mark.parametrize(
    ("issuer", "shown"),
    [
        pytest.param({"o": "Let's Encrypt", "cn": "E7"}, "Let's Encrypt E7", id="both"),
        pytest.param({"o": "Acme"}, "Acme", id="organisation"),
        pytest.param({"cn": "Root"}, "Root", id="common-name"),
        pytest.param({"o": "Same", "cn": "Same"}, "Same", id="same"),
        pytest.param({"c": "DE"}, "C=DE", id="neither"),
    ],
)
def test_the_issuer_is_named(issuer: dict[str, str], shown: str) -> None:
    """The issuer shows by organisation and common name, or by what it has (ST-43)."""
    assert parse_der(made(issuer=a_name(**issuer))).issuer == shown


@pytest.mark.parametrize(
    "kind", ["ec-256", "ec-384", "ec-521", "rsa-2048", "rsa-3072", "ed25519", pytest.param("rsa-1024", id="weak")]
)
def test_key_types_have_their_names(kind: str) -> None:
    """Each kind of key is named as on the command line."""
    assert parse_pem(AUTHORITY.leaf(["a.example.com"], key=kind).certificate_pem)[0].key_type == kind


def test_a_curve_that_nobody_offers_is_other() -> None:
    """A curve without a name of ours does not stop anybody from reading the certificate."""
    own = ec.generate_private_key(ec.BrainpoolP256R1())
    name = a_name(cn="a")
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(own.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    assert parse_der(builder.sign(own, hashes.SHA256()).public_bytes(Encoding.DER)).key_type == "other"


def test_self_signed_is_a_matter_of_the_signature() -> None:
    """A certificate that only bears its issuer's name is not taken for self-signed (ST-47)."""
    assert parse_pem(self_signed(["box.example.com"], now=NOW).certificate_pem)[0].self_signed
    impostor = AUTHORITY.leaf(["x"], subject=AUTHORITY.intermediate.certificate.subject)
    assert impostor.certificate.subject == impostor.certificate.issuer
    assert not parse_pem(impostor.certificate_pem)[0].self_signed


def test_a_ca_is_told_from_a_leaf() -> None:
    """Root and intermediate say that they are CAs, a leaf does not, nor does one without the extension."""
    assert [each.is_ca for each in parse_pem(AUTHORITY.leaf(["a.example.com"]).fullchain_pem)] == [False, True]
    assert not parse_der(made()).is_ca


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a\x1b]52;c;ZXZpbA==\x07b", id="clipboard"),
        pytest.param("a\x1b[2J\x1b[31mb", id="escape"),
        pytest.param("a\x9b31mb", id="c1"),
        pytest.param("a\r\nError: root key lost\n", id="lines"),
        pytest.param("a\u202egnp.exe", id="bidi-override"),
        pytest.param("a\u2066b\u2069", id="bidi-isolate"),
        pytest.param("pay\u200bpal", id="zero-width"),
        pytest.param("a\u2028b\u2029c", id="separators"),
        pytest.param("a\x00b", id="nul"),
        pytest.param("a\U000e0041b", id="tag"),
        pytest.param("a\ufeffb", id="bom"),
    ],
)
def test_hostile_text_is_made_harmless(text: str) -> None:
    """Terminal codes, line ends and bidirectional characters of a certificate never come out of the parser."""
    hostile = a_name(cn=text, o=text)
    certificate = parse_der(made(subject=hostile, issuer=hostile))
    for shown in (certificate.subject, certificate.issuer, certificate.issuer_cn, *certificate.names):
        assert shown.isprintable()
        assert shown.startswith(("a", "pay"))
    assert "\ufffd" in certificate.subject


def test_a_hostile_san_is_made_harmless() -> None:
    """A SAN is text of a stranger like any other."""
    certificate = parse_der(made(san=[x509.DNSName("a\x1b]0;title\x07.example.com")]))
    assert certificate.names == ("a\ufffd]0;title\ufffd.example.com",)
    assert certificate.subject == certificate.names[0]


def test_markup_stays_text() -> None:
    """What looks like markup is left as it is: it is for the screen not to read it as such."""
    text = "O=Foo [Bar] Ltd [@click=app.quit]x[/]"
    assert parse_der(made(subject=a_name(cn=text))).subject == text


def test_a_long_subject_is_cut() -> None:
    """A subject of any length shows as 200 characters at most."""
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "x" * 60) for _ in range(50)])
    shown = parse_der(made(subject=subject)).subject
    assert len(shown) == 200
    assert shown.endswith("…")


def test_no_dns_name_is_cut() -> None:
    """The longest DNS name stays whole, since names are compared with what was ordered."""
    longest = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])
    assert len(longest) == 253
    assert parse_der(made(san=[x509.DNSName(longest)])).names == (longest,)


@given(st.text(max_size=300))
def test_printable_text_is_printable(text: str) -> None:
    """Whatever goes in, what comes out can be printed and is no longer than allowed."""
    shown = printable(text)
    assert len(shown) <= 200
    assert all(c.isprintable() or c.isspace() for c in shown)
    assert not set(shown) & set("\x1b\r\n\t\x9b\u2028\u2029\u202e\u200b")
    if text.isascii() and text.isprintable() and len(text) <= 200:
        assert shown == text


def test_other_kinds_of_names_are_left_out() -> None:
    """Mail addresses and URLs in a SAN are no names of a host."""
    san = [
        x509.RFC822Name("me@example.com"),
        x509.DNSName("a.example.com"),
        x509.UniformResourceIdentifier("https://x"),
    ]
    assert parse_der(made(san=san)).names == ("a.example.com",)


@pytest.mark.parametrize(
    ("serial", "last"), [(1, "AQ"), (0x7F, "fw"), (0x80, "AIA"), (0x8765432100000001, "AIdlQyEAAAAB")]
)
def test_the_renewal_id_is_key_identifier_and_serial(serial: int, last: str) -> None:
    """The serial is written as in DER, with a zero where the highest bit is set. RFC 9773 §4.1."""
    der = made(serial=serial, extensions=(x509.AuthorityKeyIdentifier(b"\x01\x02", None, None),))
    assert parse_der(der).renewal_id == f"AQI.{last}"
    assert parse_der(made()).renewal_id is None


def test_pem_goes_round() -> None:
    """PEM out and in again is the same certificate, in lines that every tool reads."""
    leaf = AUTHORITY.leaf(["a.example.com"])
    certificate = parse_pem(leaf.certificate_pem)[0]
    assert to_pem(certificate) == leaf.certificate_pem
    assert parse_pem(to_pem(certificate)) == [certificate]


def test_blocks_come_in_order_whatever_stands_between() -> None:
    """Comments, keys and other line ends around the blocks do not matter."""
    leaf = AUTHORITY.leaf(["a.example.com"])
    chain = leaf.fullchain_pem.replace(b"\n", b"\r\n")
    data = b"\xef\xbb\xbfsubject=/CN=\xff\n" + leaf.key_pem + b"Bag Attributes\n" + chain + b"\n\ntrailing"
    found = parse_pem(data)
    assert [each.subject for each in found] == ["a.example.com", "Test Intermediate"]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        pytest.param(b"", "It contains no PEM certificate.", id="empty"),
        pytest.param(b"hello", "It contains no PEM certificate.", id="text"),
        pytest.param(b"\x00\xff" * 50, "It contains no PEM certificate.", id="binary"),
        pytest.param(AUTHORITY.root_pem[:300], "It contains no PEM certificate.", id="cut"),
        pytest.param(AUTHORITY.root.key_pem, "It contains no PEM certificate.", id="key"),
        pytest.param(
            b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
            "It contains a damaged certificate.",
            id="no-content",
        ),
        pytest.param(AUTHORITY.root_pem.replace(b"MII", b"AAA", 1), "It contains a damaged certificate.", id="altered"),
        pytest.param(
            AUTHORITY.root_pem + AUTHORITY.root_pem.replace(b"MII", b"AAA", 1),
            "It contains a damaged certificate.",
            id="second-one-altered",
        ),
    ],
)
def test_what_is_no_certificate_is_said(data: bytes, sentence: str) -> None:
    """Files that hold no certificate, or a damaged one, are refused in a sentence for people."""
    with pytest.raises(MalformedCertificate) as refused:
        parse_pem(data)
    assert str(refused.value) == sentence


def test_der_that_is_none_is_said() -> None:
    """PEM, rubbish and nothing are no DER."""
    for data in (b"", b"rubbish", AUTHORITY.root_pem):
        with pytest.raises(MalformedCertificate, match=r"^It is not a DER certificate\.$"):
            parse_der(data)


def test_a_version_that_does_not_exist_is_refused() -> None:
    """X.509 has versions 1 to 3; a later one is an error of ours, not one of a library."""
    der = made()
    with pytest.raises(MalformedCertificate):
        parse_der(der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x07", 1))


def test_a_kind_of_name_nobody_reads_is_refused() -> None:
    """An X.400 address in a SAN breaks the reading in an orderly way."""
    der = made(san=[x509.RFC822Name("me@example.com")])
    at = der.index(b"\x81\x0eme@example.com")
    with pytest.raises(MalformedCertificate, match=r"^A part of the certificate violates RFC 5280\.$"):
        parse_der(der[:at] + b"\xa3" + der[at + 1 :])


def test_altered_bytes_give_a_certificate_or_a_refusal() -> None:
    """Thousands of certificates with changed bytes are read, or refused with our error, and never crash."""
    bases = [made(san=[x509.DNSName("a.example.com")]), AUTHORITY.root.certificate.public_bytes(Encoding.DER)]
    chance = random.Random(7)
    outcomes: dict[str, int] = {"read": 0, "refused": 0}
    for _ in range(4000):
        altered = bytearray(chance.choice(bases))
        for _ in range(chance.randint(1, 3)):
            altered[chance.randrange(len(altered))] = chance.randrange(256)
        try:
            read: Certificate | Any = parse_der(bytes(altered))
        except MalformedCertificate:
            outcomes["refused"] += 1
        else:
            outcomes["read"] += 1
            assert "\x1b" not in read.subject + read.issuer + "".join(read.names)
    assert min(outcomes.values()) > 500


def test_what_cryptography_warns_of_is_written_nowhere() -> None:
    """A certificate with a negative serial number is read without a word on stderr, whichever threads read others meanwhile."""
    der = made(serial=77).replace(b"\x02\x01\x4d", b"\x02\x01\xb3", 1)
    program = (
        "import sys, warnings\n"
        "from core.x509.certificate import parse_der\n"
        "with warnings.catch_warnings():\n"
        "    print(parse_der(bytes.fromhex(sys.argv[1])).serial)\n"
    )
    done = subprocess.run([sys.executable, "-W", "always", "-c", program, der.hex()], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"-4D\n", b"")
