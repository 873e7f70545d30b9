"""The settings with which a certificate was ordered: those that its file omits, and those that were edited since. Pure but for
`settings_of`, which reads.

A file of an earlier release may not say which CA, key or challenge it was; the certificate does. The last certificate
counts there, never a present default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from msgspec.structs import replace

from core.config.load import load_lineage
from core.config.model import LineageConfig
from core.config.rules import CHALLENGES
from core.errors import CertdeckError
from core.key_types import KEY_TYPES
from core.paths import Paths
from core.store import lineages
from core.store.versions import VersionFacts

_BY_METHOD = {"self-signed": "self-signed", "private-ca": "appliance-ca", "upload": "upload", "fleet": "fleet"}


def settings_of(paths: Paths, name: str) -> LineageConfig:
    """Return the settings of a certificate; what its file leaves out is what it was last had with.

    Raises NotFound (`not-found`), ConfigError (`config-invalid`), StoreError.
    """
    return completed(load_lineage(paths, name), _last_had(paths, name))


def _last_had(paths: Paths, name: str) -> VersionFacts | None:
    live = None
    with suppress(CertdeckError):
        live = lineages.live_version(paths, name)
    for version in (*(() if live is None else (live,)), *reversed(lineages.versions(paths, name))):
        with suppress(CertdeckError):  # of a damaged one nothing is known; an older one may still tell
            return lineages.read_version(paths, name, version)
    return None


def completed(lineage: LineageConfig, had: VersionFacts | None) -> LineageConfig:
    """Return the settings with what they leave out filled in from the version that was had last."""
    if had is None:
        return lineage
    issuer = lineage.issuer or had.ca or _BY_METHOD.get(had.method)
    if issuer is None or issuer in ("upload", "fleet"):
        return replace(lineage, issuer=issuer)
    challenge = had.method.removeprefix("manual-")
    key_type = had.certificate.key_type
    return replace(
        lineage,
        issuer=issuer,
        challenge=lineage.challenge or (challenge if challenge in CHALLENGES else None),
        key_type=lineage.key_type or (key_type if key_type in KEY_TYPES else None),
        profile=(had.profile or "") if lineage.profile is None and had.directory is not None else lineage.profile,
    )


def differences(lineage: LineageConfig, had: VersionFacts) -> dict[str, object]:
    """Return the settings that are not those that a version was ordered with: `domains`, `key_type`, `issuer`, `profile`.

    Compared with the order, not with the certificate: a certificate of a fallback issuer is no reason to order again.
    """
    asked = had.spec
    found: dict[str, object] = {}
    names = _texts(asked.get("domains")) or tuple(had.certificate.names)
    if lineage.issuer != "self-signed" and lineage.domains and not _same_names(lineage.domains, names):
        found["domains"] = list(lineage.domains)
    wanted: Mapping[str, tuple[object, object]] = {
        "key_type": (lineage.key_type, asked.get("key_type") or had.certificate.key_type),
        "issuer": (lineage.issuer, asked.get("issuer") or had.ca or _BY_METHOD.get(had.method)),
        "profile": (lineage.profile, asked.get("profile", had.profile or "")),
    }
    if had.method:  # else its facts were lost, and nothing is known of its order
        found |= {key: now for key, (now, then) in wanted.items() if now is not None and now != then}
    return found


def _same_names(some: Sequence[str], others: Sequence[str]) -> bool:
    if set(some) == set(others):
        return True
    from core.identifiers import parse_identifiers

    with suppress(CertdeckError):  # a name that cannot be is another one
        return {each.value for each in parse_identifiers(some)} == {each.value for each in parse_identifiers(others)}
    return False


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, (list, tuple)) else ()
