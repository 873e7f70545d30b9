"""Private keys: every kind offered, read back, never shown."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x25519

from core.key_types import KEY_TYPES
from core.x509.certificate import parse_pem
from core.x509.key import PrivateKey, generate_key, matches
from core.x509.key_reader import MalformedKey, load_key
from tests.support.authority import key_pem, make_key, self_signed

KEY = generate_key("ec-256")
QUICK = [kind for kind in KEY_TYPES if kind not in {"rsa-4096", "rsa-8192"}]


def test_the_types_are_those_of_the_contract() -> None:
    """The choices of SO-20 are offered, by their fixed names (SO-20, CC-11)."""
    assert KEY_TYPES == ("ec-256", "ec-384", "ec-521", "rsa-2048", "rsa-3072", "rsa-4096", "rsa-8192")


@pytest.mark.parametrize("kind", QUICK)
def test_a_key_goes_round(kind: str) -> None:
    """A generated key is of the type asked for and is read back as the same one (CC-10)."""
    key = generate_key(kind)
    assert key.key_type == kind
    again = load_key(key.to_pem())
    assert (again.key_type, again.spki) == (kind, key.spki)
    assert key.to_pem().startswith(b"-----BEGIN PRIVATE KEY-----\n")


def test_two_keys_are_two_keys() -> None:
    """Each key is fresh."""
    assert generate_key("ec-256").spki != generate_key("ec-256").spki


@pytest.mark.parametrize("kind", ["", "rsa", "rsa-1024", "rsa-2047", "ec-255", "ed25519", "EC-256", "dsa-2048"])
def test_other_types_are_not_made(kind: str) -> None:
    """Weak and unknown types are refused."""
    with pytest.raises(ValueError, match="unknown key type"):
        generate_key(kind)


def test_a_key_does_not_show_itself() -> None:
    """Neither repr nor str of a key holds anything of it but the type."""
    assert repr(KEY) == str(KEY) == f"{KEY}" == "PrivateKey(ec-256)"


@pytest.mark.parametrize(
    "form",
    [serialization.PrivateFormat.TraditionalOpenSSL, serialization.PrivateFormat.PKCS8],
    ids=["traditional", "pkcs8"],
)
@pytest.mark.parametrize("kind", ["rsa-2048", "ec-256"])
def test_every_usual_form_is_read(kind: str, form: serialization.PrivateFormat) -> None:
    """PKCS#1, SEC1 and PKCS#8 are read (ST-34)."""
    native = generate_key(kind).native
    pem = native.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    assert load_key(pem).key_type == kind


@pytest.mark.parametrize(
    ("native", "kind"),
    [
        (ed25519.Ed25519PrivateKey.generate(), "ed25519"),
        (ec.generate_private_key(ec.SECP256K1()), "other"),
        (rsa.generate_private_key(65537, 1024), "rsa-1024"),  # noqa: S505 - weak on purpose
    ],
    ids=["ed25519", "secp256k1", "rsa-1024"],
)
def test_keys_we_do_not_make_are_read(
    native: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, kind: str
) -> None:
    """A key that somebody brings is named, also where we would not make one."""
    assert load_key(PrivateKey(native).to_pem()).key_type == kind


@pytest.mark.parametrize(
    ("pem", "sentence"),
    [
        pytest.param(key_pem(make_key(), b"correct horse"), "The private key is damaged.", id="protected"),
        pytest.param(b"", "The private key is damaged.", id="empty"),
        pytest.param(KEY.to_pem()[:120], "The private key is damaged.", id="cut"),
        pytest.param(KEY.to_pem().decode().encode("utf-16"), "The private key is damaged.", id="utf-16"),
        pytest.param(
            ed448.Ed448PrivateKey.generate().private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
            "The private key is an Ed448 key, which TLS servers do not use.",
            id="ed448",
        ),
        pytest.param(
            x25519.X25519PrivateKey.generate().private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
            "The private key is an X25519 key, which TLS servers do not use.",
            id="x25519",
        ),
    ],
)
def test_what_is_no_usable_key_is_said(pem: bytes, sentence: str) -> None:
    """A key of this box that cannot be read is refused in a sentence that holds nothing of it."""
    with pytest.raises(MalformedKey) as refused:
        load_key(pem)
    assert str(refused.value) == sentence


def test_a_key_belongs_to_its_certificate_alone() -> None:
    """Key and certificate are compared by the public key itself (ST-36)."""
    leaf = self_signed(["a.example.com"])
    certificate = parse_pem(leaf.certificate_pem)[0]
    assert matches(certificate, load_key(leaf.key_pem))
    assert not matches(certificate, KEY)
