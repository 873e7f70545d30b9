"""Stores a certificate and its key as a new version of a lineage, whether it was issued, uploaded, adopted or received."""

from __future__ import annotations

from msgspec import Struct

from core.concealed import Concealed
from core.config.model import LineageConfig
from core.events import VersionStored
from core.store.lineages import spec_of, store_version
from core.store.versions import VersionFacts, certificate_facts
from core.workflows.context import Context
from core.x509.certificate import to_pem
from core.x509.chain import split_fullchain


class NewVersion(Concealed, Struct, frozen=True, kw_only=True):
    """A certificate that was checked, with the key that belongs to it."""

    fullchain: bytes
    """PEM, leaf first."""
    key: bytes
    """PEM."""
    method: str
    ca: str | None = None
    directory: str | None = None
    """URL of the ACME directory that issued it."""
    profile: str | None = None


def store(context: Context, settings: LineageConfig, new: NewVersion) -> int:
    """Store it for the lineage that `settings` describe, and return its number. Nothing live changes. Raises StoreError."""
    leaf, intermediates = split_fullchain(new.fullchain)
    version = store_version(
        context.paths,
        settings.name,
        privkey=new.key,
        cert=to_pem(leaf),
        chain=b"".join(map(to_pem, intermediates)),
        fullchain=new.fullchain,
        facts=VersionFacts(
            created=context.env.clock.now(),
            ca=new.ca,
            directory=new.directory,
            method=new.method,
            certificate=certificate_facts(new.fullchain),
            profile=new.profile,
            spec=spec_of(settings),
        ),
    )
    context.narrator.tell(VersionStored(version=version))
    return version
