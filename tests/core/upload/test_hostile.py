"""Uploads that were made to do harm: every one is answered in words, soon, and in little memory."""

from __future__ import annotations

import os
import time
import tracemalloc
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12
from cryptography.x509.oid import NameOID

from core.errors import UsageError
from core.upload.files import read_part
from core.upload.values import MOST_BYTES
from tests.support.authority import key_pem, make_key
from tests.support.clock import NOON
from tests.support.uploads import ca, judge, name, pem, san, sign

SECONDS = 2.0
MOST_MEMORY = 128 * 1024 * 1024
HOSTILE_TEXT = "\x1b]0;owned\x07\x1b[31m[bold red]x[/]\u202egnp.exe\u2066\n\r\x00\x9b2J<script>"
SNEAKY = ("\x1b", "\x07", "\x9b", "\x00", "\u202e", "\u2066", "\r")


@contextmanager
def bounded() -> Iterator[None]:
    """Fail when what is inside takes longer, or more memory, than anything may."""
    tracemalloc.start()
    before = time.process_time()
    try:
        yield
        taken = time.process_time() - before
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Tracing makes Python itself several times slower.
    assert taken < 2 * SECONDS, f"{taken:.1f} s"
    assert peak < MOST_MEMORY, f"{peak:,} bytes"


def tlv(tag: int, content: bytes) -> bytes:
    """Return one DER element."""
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def integer(number: int) -> bytes:
    return tlv(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def many_names() -> bytes:
    key = make_key()
    names = san(*(f"host-{number}.example.com" for number in range(10_000)))
    return pem(sign("many", key, extensions=[names])) + key_pem(key)


def long_subject() -> bytes:
    key = make_key()
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "x" * 64) for _ in range(1000)]
    return pem(sign(x509.Name(parts), key, extensions=[san("a.example.com")])) + key_pem(key)


def hostile_text() -> bytes:
    key = make_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOSTILE_TEXT)])
    issuer = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, HOSTILE_TEXT)])
    other = make_key()
    return pem(sign(subject, key, issuer=issuer, issuer_key=other)) + key_pem(key)


def long_chain() -> bytes:
    above = ca("CA 0")
    texts = [pem(above[0])]
    for number in range(1, 50):
        above = ca(f"CA {number}", above=above)
        texts.append(pem(above[0]))
    key = make_key()
    leaf = sign("leaf", key, issuer=above[0].subject, issuer_key=above[1], extensions=[san("a.example.com")])
    return pem(leaf) + b"".join(texts) + key_pem(key)


def circle() -> bytes:
    """Ninety certificates of one name and one key, each of which seems to have signed every other."""
    key = make_key()
    constraints = (x509.BasicConstraints(ca=True, path_length=None), True)
    one, two = name("One"), name("Two")
    ring = [sign(one, key, issuer=two, extensions=[constraints]) for _ in range(45)]
    ring += [sign(two, key, issuer=one, extensions=[constraints]) for _ in range(45)]
    leaf = sign("leaf", key, issuer=one, extensions=[san("a.example.com")])
    return b"".join(pem(each) for each in ring) + pem(leaf) + key_pem(key)


def trust_store() -> bytes:
    key = make_key()
    return b"".join(pem(sign(f"CA {number}", key)) for number in range(150))


def huge_rsa_key() -> bytes:
    numbers = [0, (1 << 400_000) + 1, 65537, *((1 << 200_000) + 1,) * 6]
    return tlv(0x30, b"".join(map(integer, numbers)))


def bits_of_rsa(bits: int) -> bytes:
    numbers = [0, (1 << bits) + 1, 65537, *((1 << (bits // 2)) + 1,) * 6]
    return tlv(0x30, b"".join(map(integer, numbers)))


def huge_public_key() -> bytes:
    """A certificate whose RSA modulus was blown up to half a megabyte."""
    key = make_key("rsa-2048")
    assert isinstance(key, rsa.RSAPrivateKey)
    der = sign("a", key, extensions=[san("a.example.com")]).public_bytes(Encoding.DER)
    small = key.public_key().public_numbers()
    old_key = tlv(0x30, integer(small.n) + integer(small.e))
    new_key = tlv(0x30, integer((small.n << 3_000_000) + 1) + integer(small.e))
    return rewritten(der, tlv(0x03, b"\0" + old_key), tlv(0x03, b"\0" + new_key))


def rewritten(der: bytes, old: bytes, new: bytes) -> bytes:
    """Replace an element in DER and put the lengths around it right."""
    if der == old:
        return new
    head = 2 if der[1] < 0x80 else 2 + (der[1] & 0x7F)
    holds_more = der[0] & 0x20 or (der[0] == 0x04 and der[head : head + 1] == b"\x30")
    if not holds_more or old not in der:
        return der
    found, at = b"", head
    while at < len(der):
        length = der[at + 1]
        size = 2
        if length >= 0x80:
            size = 2 + (length & 0x7F)
            length = int.from_bytes(der[at + 2 : at + size], "big")
        found += rewritten(der[at : at + size + length], old, new)
        at += size + length
    return tlv(der[0], found)


def negative_serial() -> bytes:
    key = make_key()
    der = sign("a", key, extensions=[san("a.example.com")], serial=77).public_bytes(Encoding.DER)
    return der.replace(b"\x02\x01\x4d", b"\x02\x01\xb3", 1)


def nul_in_a_name() -> bytes:
    key = make_key()
    der = sign("a", key, extensions=[san("good.example.comXevil.example.org")]).public_bytes(Encoding.DER)
    return der.replace(b"comXevil", b"com\0evil")


def deep_nesting() -> bytes:
    data = b""
    for _ in range(50_000):
        data = b"\x30\x80" + data
        if len(data) > 400_000:
            break
    return data + b"\0\0" * 50_000


def costly_pfx(count: int) -> bytes:
    """A real PFX whose checksum claims to want `count` rounds."""
    key = make_key()
    encryption = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(20_001).build(b"x")
    made = pkcs12.serialize_key_and_certificates(b"a", key, sign("a", key), None, encryption)
    return rewritten(made, integer(20_001), integer(count))


def costly_key(parameters: bytes) -> bytes:
    """An encrypted key with these parameters of PBES2's key derivation."""
    aes = tlv(0x30, tlv(0x06, bytes.fromhex("60864801650304012a")) + tlv(0x04, bytes(16)))
    pbes2 = tlv(0x30, tlv(0x06, bytes.fromhex("2a864886f70d01050d")) + tlv(0x30, parameters + aes))
    return tlv(0x30, pbes2 + tlv(0x04, bytes(64)))


def pbkdf2(rounds: int) -> bytes:
    return tlv(0x30, tlv(0x06, bytes.fromhex("2a864886f70d01050c")) + tlv(0x30, tlv(0x04, bytes(8)) + integer(rounds)))


def scrypt(n: int, r: int, p: int) -> bytes:
    values = tlv(0x04, bytes(8)) + integer(n) + integer(r) + integer(p)
    return tlv(0x30, tlv(0x06, bytes.fromhex("2b06010401da47040b")) + tlv(0x30, values))


def many_costly_keys() -> bytes:
    """Forty encrypted keys, each of which takes as long to try as one may."""
    text = b64encode(costly_key(pbkdf2(1_400_000)))
    return (b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n" + text + b"\n-----END ENCRYPTED PRIVATE KEY-----\n") * 40


def names_below_constraints() -> bytes:
    """A leaf of ten thousand names below eleven CAs, each of which limits the names below it."""
    limits = x509.NameConstraints([x509.DNSName("example.com"), x509.DNSName("example.net")], None)
    above = ca("CA 0", more=[(limits, True)])
    texts = [pem(above[0])]
    for number in range(1, 11):
        above = ca(f"CA {number}", above=above, more=[(limits, True)])
        texts.append(pem(above[0]))
    key = make_key()
    names = san(*(f"host-{number}.a.b.c.d.e.f.example.com" for number in range(10_000)))
    leaf = sign("leaf", key, issuer=above[0].subject, issuer_key=above[1], extensions=[names])
    return pem(leaf) + b"".join(texts) + key_pem(key)


def many_constraints() -> bytes:
    """Ten thousand names below a CA of ten thousand constraints."""
    limits = x509.NameConstraints([x509.DNSName(f"n{number}.example.com") for number in range(10_000)], None)
    above = ca("CA", more=[(limits, True)])
    key = make_key()
    names = san(*(f"a.n{number}.example.com" for number in range(10_000)))
    leaf = sign("leaf", key, issuer=above[0].subject, issuer_key=above[1], extensions=[names])
    return pem(leaf) + pem(above[0]) + key_pem(key)


def twins() -> bytes:
    """Ninety certificates of one CA, of one name and one key, below one root."""
    root, key = ca("Root"), make_key()
    texts = [pem(ca("Issuing", above=root, key=key)[0]) for _ in range(90)]
    own = make_key()
    leaf = sign("leaf", own, issuer=name("Issuing"), issuer_key=key, extensions=[san("a.example.com")])
    return pem(leaf) + b"".join(texts) + pem(root[0]) + key_pem(own)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "ten-thousand-names": many_names,
    "64-kb-subject": long_subject,
    "terminal-codes": hostile_text,
    "chain-of-fifty": long_chain,
    "circle-of-issuers": circle,
    "trust-store": trust_store,
    "rsa-key-of-400000-bits": huge_rsa_key,
    "rsa-key-of-20000-bits": lambda: bits_of_rsa(20_000),
    "rsa-key-of-16000-bits": lambda: bits_of_rsa(16_000),
    "rsa-certificate-of-3000000-bits": huge_public_key,
    "negative-serial": negative_serial,
    "nul-in-a-name": nul_in_a_name,
    "deep-nesting": deep_nesting,
    "pfx-of-a-billion-rounds": lambda: costly_pfx(1_000_000_000),
    "pfx-of-2-to-the-200-rounds": lambda: costly_pfx(1 << 200),
    "pfx-of-no-rounds": lambda: costly_pfx(0),
    "key-of-a-billion-rounds": lambda: costly_key(pbkdf2(1_000_000_000)),
    "key-of-a-gigabyte": lambda: costly_key(scrypt(1 << 20, 8, 1)),
    "key-of-endless-scrypt": lambda: costly_key(scrypt(1 << 14, 8, 1 << 40)),
    "a-megabyte-of-zeros": lambda: bytes(MOST_BYTES),
    "a-megabyte-of-dashes": lambda: b"-" * MOST_BYTES,
    "a-megabyte-of-line-feeds": lambda: b"-----BEGIN A-----\n:" + b"\n" * (MOST_BYTES - 40) + b"-----END A-----",
    "a-megabyte-of-beginnings": lambda: (b"-----BEGIN CERTIFICATE-----\n" * 40_000)[:MOST_BYTES],
    "a-megabyte-of-empty-blocks": lambda: (b"-----BEGIN A-----\n-----END A-----\n" * 40_000)[:MOST_BYTES],
    "a-megabyte-of-headers": lambda: (
        b"-----BEGIN RSA PRIVATE KEY-----\n" + b"A: b\n" * 200_000 + b"-----END RSA PRIVATE KEY-----"
    ),
    "many-costly-keys": many_costly_keys,
    "names-below-many-constraints": names_below_constraints,
    "constraints-of-many-names": many_constraints,
    "twins-of-one-key": twins,
    "a-megabyte-of-base64": lambda: b"MIII" * (MOST_BYTES // 4),
    "a-megabyte-of-tiny-elements": lambda: tlv(0x30, b"\x02\x01\x03" + tlv(0x30, b"\x05\x00" * 500_000)),
    "too-large": lambda: b"x" * (MOST_BYTES + 1),
    "two-megabytes-of-zeros": lambda: bytes(2 * MOST_BYTES),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_uploads_are_answered(case: str) -> None:
    """Nothing that an upload holds makes the checks fail, take long, need memory, or say what a terminal would obey."""
    content = HOSTILE[case]()
    with bounded():
        judged = judge(content, passphrase=b"x", hosts=("a.example.com",), had=("a.example.com",))
    assert judged["parse"].detail
    assert not [sign for sign in SNEAKY if sign in judged.text]
    assert len(judged.text) < 8000


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("pfx-of-a-billion-rounds", "2,000,002,048 rounds"),
        ("pfx-of-2-to-the-200-rounds", "an excessive count"),
        ("key-of-a-billion-rounds", "1,000,000,000 rounds"),
        ("key-of-a-gigabyte", "MiB of memory"),
        ("key-of-endless-scrypt", "any legitimate program"),
        ("too-large", "larger than 1 MiB"),
        ("many-costly-keys", "too many encrypted parts"),
        ("trust-store", "more than 100 certificates"),
        ("rsa-key-of-20000-bits", "20,001 bits"),
        ("rsa-key-of-400000-bits", "private key"),
        ("a-megabyte-of-beginnings", "hundreds of PEM blocks"),
    ],
)
def test_why_it_is_refused(case: str, words: str) -> None:
    """What would take too long is refused by the reason, before any work is done."""
    judged = judge(HOSTILE[case](), passphrase=b"x")
    assert words in judged["parse"].detail
    assert not judged.accepted


def test_a_chain_that_is_too_long_is_named_as_that() -> None:
    """A chain of fifty is not called forged or incomplete."""
    assert "longer than any client accepts" in judge(long_chain())["chain"].detail


def test_what_is_large_and_honest_is_accepted() -> None:
    """Ten thousand names and a very long subject are strange, and no reason to refuse."""
    for content in (many_names(), long_subject()):
        judged = judge(content)
        assert judged.accepted
    assert judged.material is not None
    assert len(judged.material.leaf.subject) <= 200


def test_a_nul_does_not_end_a_name() -> None:
    """`good\\0evil` is for neither of the two."""
    judged = judge(nul_in_a_name(), hosts=("good.example.com",))
    assert judged["host-match"].status in ("fail", "skip")
    assert not judged.accepted


def test_expiry_before_the_beginning_fails() -> None:
    """A certificate that ends before it begins is refused, where it can be read at all."""
    key = make_key()
    early = sign("a", key, not_before=NOON - timedelta(days=2), not_after=NOON - timedelta(days=1))
    assert "validity" in judge(pem(early), key_pem(key)).failed


# -- files -----------------------------------------------------------------------------------------------------------------


def refused(path: Path) -> UsageError:
    with bounded(), pytest.raises(UsageError) as caught:
        read_part(path)
    return caught.value


def test_special_files_are_not_read(tmp_path: Path) -> None:
    """A pipe, a device, a folder and a circle of links are refused by name, without waiting."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    for path, why in (
        (tmp_path / "pipe", "pipe or a device"),
        (Path("/dev/zero"), "pipe or a device"),
        (Path("/dev/null"), "pipe or a device"),
        (tmp_path, "a directory"),
        (tmp_path / "one", "form a loop"),
        (tmp_path / "missing", "no such file"),
        (tmp_path / "missing" / "below", "no such file"),
        (tmp_path / ("x" * 300), "too long"),
        (Path("a\0b"), "not a valid file name"),
    ):
        assert why in refused(path).why


def test_an_unreadable_file(tmp_path: Path) -> None:
    """A file that this user may not read is refused with what to do."""
    path = tmp_path / "secret.key"
    path.write_bytes(b"x")
    path.chmod(0)
    is_root = os.geteuid() == 0
    if is_root:  # who may read everything
        os.seteuid(65534)
    try:
        error = refused(path)
    finally:
        if is_root:
            os.seteuid(0)
    assert "permission to read" in error.why


def test_a_large_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    """Of a file of 20 MB no more than a megabyte is read, and it is refused as too large."""
    path = tmp_path / "large.pem"
    path.write_bytes(b"x" * 20_000_000)
    with bounded():
        part = read_part(path)
        judged = judge(part.data)
    assert len(part.data) == MOST_BYTES + 1
    assert "larger than 1 MiB" in judged["parse"].detail


def test_a_file_name_is_data(tmp_path: Path) -> None:
    """A file whose name is made of terminal codes is spoken of without them."""
    path = tmp_path / "\x1b[31mred\u202e.pem"
    assert "\x1b" not in str(refused(path))
    path.write_bytes(b"nothing")
    part = read_part(path)
    assert part.data == b"nothing"


def test_a_plain_key_needs_no_encryption() -> None:
    """A key that is not encrypted is taken although a passphrase was given for another part."""
    key = make_key()
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    judged = judge(pem(sign("a", key, extensions=[san("a.example.com")])), plain, passphrase=b"x")
    assert judged["key-match"].status == "pass"
