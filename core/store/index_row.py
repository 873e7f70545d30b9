"""One row of the index, read from the files of a lineage: what `core.store.index.Facts` holds, in its order."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from core.config.load import load_lineage
from core.errors import CertdeckError, NotFound, StoreCorrupt
from core.paths import Paths
from core.store import lineages, renewal_state
from core.store.had_with import completed, differences
from core.store.windows import NEVER_ASKED

if TYPE_CHECKING:
    from datetime import datetime

    from core.config.model import LineageConfig
    from core.store.versions import VersionFacts


def read_row(
    paths: Paths, name: str, *, without_live: bool = False, settings: LineageConfig | None = None
) -> list[Any]:
    """Return the values of `Facts` in its order, as JSON has them; what the CA said, and whether an order is open, is filled in."""
    config = load_lineage(paths, name) if settings is None else settings
    version = lineages.live_version(paths, name)
    waiting = lineages.waiting_version(paths, name)
    newer = _newer(paths, name, version, waiting)
    if without_live:
        version = None
    state = renewal_state.load(paths, name)
    try:
        facts = None if version is None else lineages.read_version(paths, name, version)
    except NotFound as exc:
        if lineages.live_version(paths, name) == version:
            raise _gone(paths, name, version or 0) from exc
        return read_row(paths, name)  # it was switched and pruned while we looked
    held = _waiting_facts(paths, name, waiting)
    config = completed(config, facts or held)
    row: list[Any] = [
        name,
        list(config.domains),
        config.issuer,
        config.challenge,
        config.dns,
        config.key_type,
        config.profile,
        config.preferred_chain,
        list(config.targets),
        config.auto_renew,
        config.renew_days_before,
        version,
        waiting,
        newer,
    ]
    if facts is None:
        row += [
            "",
            "",
            [],
            "",
            0.0,
            0.0,
            "",
            "",
            False,
            0,
            None,
            None,
            "",
            None,
            None,
            0.0,
            "",
            False,
            False,
            {},
            False,
        ]
    else:
        leaf = facts.certificate
        wanted = differences(config, facts)
        is_wanted = bool(wanted) and (newer is None or bool(_differences_from(paths, config, newer)))
        row += [
            leaf.subject,
            leaf.issuer,
            list(leaf.names),
            leaf.serial,
            _seconds(leaf.not_before),
            _seconds(leaf.not_after),
        ]
        row += [leaf.sha256, leaf.key_type, leaf.self_signed, leaf.chain_length, leaf.renewal_id]
        row += [facts.ca, facts.method, facts.directory, facts.profile]
        row += [_seconds(leaf.chain_not_after or leaf.not_after), leaf.chain_end, leaf.root_sent]
        row += [leaf.has_revocation is not False]
        row += [wanted, is_wanted]
    row.append(None if held is None else _as_waiting(held))
    row += [state.failures, state.last_error, _seconds(state.last_attempt), _seconds(state.next_attempt), *NEVER_ASKED]
    row += [_seconds(state.chain_retry_at), facts is not None and state.revoked == facts.certificate.sha256]
    return [*row, state.on_fallback, state.targets, False]


def _waiting_facts(paths: Paths, name: str, version: int | None) -> VersionFacts | None:
    with suppress(CertdeckError):  # damaged, or gone by now: whoever deploys it says so
        return None if version is None else lineages.read_version(paths, name, version)
    return None


def _as_waiting(held: VersionFacts) -> dict[str, object]:
    targets = held.spec.get("targets")
    issuer = "upload" if held.method == "upload" else held.spec.get("issuer") or held.ca
    return {
        "issuer": issuer,
        "targets": list(targets) if isinstance(targets, list) else [],
        "created": held.created.timestamp(),
    }


def _differences_from(paths: Paths, config: LineageConfig, version: int) -> dict[str, object]:
    with suppress(CertdeckError):
        return differences(config, lineages.read_version(paths, config.name, version))
    return {}


def _newer(paths: Paths, name: str, live: int | None, waiting: int | None) -> int | None:
    for version in reversed(lineages.versions(paths, name)):
        if live is None or version <= live:
            return None
        if version != waiting and lineages.has_key(paths, name, version):
            return version
    return None


def _gone(paths: Paths, name: str, version: int) -> StoreCorrupt:
    return StoreCorrupt(
        f"The live version of {name} is missing.",
        f"{paths.live / name} points to version {version}, which another program has removed.",
        f"Renew it: certdeck --renew {name} --force.",
        lineage=name,
    )


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()
