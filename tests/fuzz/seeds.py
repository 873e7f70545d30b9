"""What the fuzzer begins with: the public vectors, and uploads of every kind that are made here.

An input is: one byte that chooses the passphrase, then the parts of the upload with SEPARATOR between them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import cryptography_vectors
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs7,
    pkcs12,
)

from tests.support.authority import Authority, key_pem
from tests.support.clock import NOON
from tests.support.uploads import mersenne_key, sign

SEPARATOR = b"\n%%%%\n"
PASSPHRASES = (None, b"password", b"cryptography", b"x")
FOLDERS = ("x509", "x509/custom", "x509/requests", "pkcs12", "pkcs7", "asymmetric/PKCS8", "asymmetric/PEM_Serialization",
           "asymmetric/DER_Serialization", "asymmetric/Traditional_OpenSSL_Serialization", "asymmetric/OpenSSH",
           "x509/PKITS_data/certs")  # fmt: skip
LARGEST = 64 * 1024


def seeds() -> Iterator[bytes]:
    """Yield every input to begin with."""
    yield from _made()
    vectors = Path(cryptography_vectors.__file__).parent
    for folder in FOLDERS:
        for path in sorted((vectors / folder).iterdir()):
            if path.is_file() and path.stat().st_size < LARGEST:
                choice = 1 + ("pkcs12" in folder) if "pkcs12" in folder or "PKCS8" in folder else 1
                yield bytes([choice]) + path.read_bytes()


def _made() -> Iterator[bytes]:
    authority = Authority.new(now=NOON)
    large = mersenne_key()
    packed = pkcs12.serialize_key_and_certificates(b"a", large, sign("a", large), None, NoEncryption())
    yield b"\0" + packed
    for kind in ("rsa-2048", "ec-256"):
        shop = authority.leaf(["shop.example.com", "*.example.com"], key=kind)
        plain, hidden = NoEncryption(), BestAvailableEncryption(b"x")
        fast = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(2).build(b"x")
        der = shop.certificate.public_bytes(Encoding.DER)
        yield b"\0" + shop.fullchain_pem + shop.key_pem
        yield b"\0" + shop.key_pem + authority.root_pem + shop.chain_pem + shop.certificate_pem
        yield b"\0" + SEPARATOR.join((shop.certificate_pem, shop.key_pem, shop.chain_pem))
        yield b"\0" + SEPARATOR.join((der, shop.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, plain)))
        yield b"\0" + shop.key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, plain)
        yield b"\3" + shop.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, hidden)
        yield b"\3" + SEPARATOR.join((shop.fullchain_pem, key_pem(shop.key, b"x")))
        for cover in (fast, plain):
            packed = pkcs12.serialize_key_and_certificates(b"a", shop.key, shop.certificate, shop.chain, cover)
            yield b"\3" + packed
        for encoding in (Encoding.DER, Encoding.PEM):
            yield b"\0" + pkcs7.serialize_certificates([shop.certificate, *shop.chain], encoding)
        yield b"\0" + shop.fullchain_pem.decode().encode("utf-16")


def main(folder: Path) -> None:
    for seed in seeds():
        path = folder / sha256(seed).hexdigest()[:20]
        if not path.exists():
            path.write_bytes(seed)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
