"""Boxes with something in them: an environment without a world, and stored lineages."""

from __future__ import annotations

from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from msgspec.structs import replace

from core.paths import Paths
from core.ports import Environment
from core.store.lineages import store_version
from core.store.versions import CertificateFacts, VersionFacts, certificate_facts
from tests.support.authority import Leaf
from tests.support.clock import NOON, FakeClock, FakeRandom


def the_environment(seed: int = 1, **variables: str) -> Environment:
    """Return an environment with a clock, chance and variables; whoever asks it for the network fails."""
    nothing = cast("Any", None)
    return Environment(
        clock=FakeClock(),
        random=FakeRandom(seed),
        transport=nothing,
        runner=nothing,
        prober=nothing,
        listener=nothing,
        host=nothing,
        resolver=nothing,
        variables=variables,
    )


def version_facts(certificate: CertificateFacts, **changes: Any) -> VersionFacts:
    """Return what is kept of a version that Let's Encrypt has issued."""
    made = VersionFacts(
        created=NOON,
        ca="letsencrypt",
        directory="https://acme-v02.api.letsencrypt.org/directory",
        method="http-01",
        certificate=certificate,
    )
    return replace(made, **changes)


def store(paths: Paths, name: str, leaf: Leaf, **changes: Any) -> int:
    """Store a leaf as the next version of a lineage."""
    return store_version(
        paths,
        name,
        privkey=leaf.key_pem,
        cert=leaf.certificate_pem,
        chain=leaf.chain_pem,
        fullchain=leaf.fullchain_pem,
        facts=version_facts(certificate_facts(leaf.fullchain_pem), **changes),
    )


def belong_together(cert: bytes, key: bytes) -> bool:
    """Tell whether a certificate and a private key belong together."""
    return x509.load_pem_x509_certificate(cert).public_key() == load_pem_private_key(key, None).public_key()
