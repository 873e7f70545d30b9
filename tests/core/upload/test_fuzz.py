"""Uploads that nobody would write: damaged at random, and put together at random. All of them are answered in words."""

from __future__ import annotations

from base64 import b64decode, b64encode
from contextlib import suppress

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs7,
    pkcs12,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from core.upload import pem
from core.upload.kinds import ContentKind, kind_of
from core.x509.cost import TooCostly, check_kdf_cost
from core.x509.der import NotDer
from tests.support.authority import Authority
from tests.support.clock import NOON
from tests.support.uploads import judge

AUTHORITY = Authority.new(now=NOON)
SHOP = AUTHORITY.leaf(["shop.example.com"], key="rsa-2048")
_FAST = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(2).build(b"x")
SEEDS: tuple[bytes, ...] = (
    SHOP.fullchain_pem + SHOP.key_pem,
    SHOP.certificate.public_bytes(Encoding.DER),
    SHOP.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
    SHOP.key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
    SHOP.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"x")),
    SHOP.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")),
    pkcs12.serialize_key_and_certificates(b"a", SHOP.key, SHOP.certificate, SHOP.chain, _FAST),
    pkcs12.serialize_key_and_certificates(b"a", SHOP.key, SHOP.certificate, SHOP.chain, NoEncryption()),
    pkcs7.serialize_certificates([SHOP.certificate, *SHOP.chain], Encoding.DER),
)

_CHANGE = st.tuples(
    st.integers(0, 10_000), st.sampled_from(["set", "cut", "put", "flip"]), st.binary(min_size=1, max_size=6)
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Draw a good file with a few bytes changed."""
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for place, how, content in draw(st.lists(_CHANGE, min_size=1, max_size=5)):
        at = place % max(len(data), 1)
        if how == "set":
            data[at : at + len(content)] = content
        elif how == "cut":
            del data[at : at + content[0] % 20 + 1]
        elif how == "put":
            data[at:at] = content
        elif data:
            data[at] ^= 1 << content[0] % 8
    return bytes(data)


def assert_answered(*contents: bytes) -> None:
    judged = judge(
        *contents, passphrase=b"x", roots=AUTHORITY.root_pem, hosts=("shop.example.com",), had=("a.example.com",)
    )
    assert {each.status for each in judged.results} <= {"pass", "warn", "fail", "skip"}
    assert all(each.detail for each in judged.results)
    assert not set(judged.text) & (set(map(chr, range(32))) - {"\n"})


@given(st.lists(damaged(), min_size=1, max_size=3))
@settings(max_examples=150)
def test_damaged_files_are_answered(contents: list[bytes]) -> None:
    """A certificate, key, PFX or bundle with bytes changed, lost or added is accepted or refused, and never fails otherwise."""
    assert_answered(*contents)


@given(st.lists(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)), min_size=1, max_size=3))
def test_random_bytes_are_answered(contents: list[bytes]) -> None:
    """Bytes and texts without any meaning are refused in words."""
    assert_answered(*contents)


@given(
    st.lists(
        st.sampled_from(
            [b"-----BEGIN ", b"-----END ", b"CERTIFICATE", b"PRIVATE KEY", b"-----", b"\n", b"MIIB", b": ", b"="]
        )
    )
)
def test_pieces_of_pem_are_answered(pieces: list[bytes]) -> None:
    """Marks of PEM in any senseless order are refused in words."""
    assert_answered(b"".join(pieces) or b"-")


@given(st.binary(max_size=200))
def test_the_readers_of_structure_never_fail(data: bytes) -> None:
    """Judging what a structure is, and what it costs, ends in an answer or in the one refusal that is meant for it."""
    for each in (data, b"\x30" + bytes([len(data) % 128]) + data):
        assert isinstance(kind_of(each), ContentKind)
        with suppress(NotDer, TooCostly):
            check_kdf_cost(each, is_pkcs12=True)


@given(st.binary(min_size=1, max_size=400), st.sampled_from([b"\n", b"\r\n", b" \n  ", b""]))
def test_pem_gives_back_what_was_put_in(content: bytes, end: bytes) -> None:
    """Whatever bytes a block holds come out of it again, with line ends of any kind."""
    text = b64encode(content)
    lines = end.join(text[at : at + 64] for at in range(0, len(text), 64))
    found = pem.blocks(b"before\n-----BEGIN X-----" + end + lines + end + b"-----END X-----\nafter")
    assert [block.content for block in found] == [content]
    assert b64decode(text) == content
