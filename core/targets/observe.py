"""The state of a target, from its files, its last deployment, and (only on request) from its service.

Cheap enough for a status screen with hundreds of targets: two small files are compared with the live version, byte for byte.
Nothing is parsed and no key leaves this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from core.config.model import TargetConfig
from core.lineage_status import ListenerState, TargetState
from core.ports import Prober
from core.regular import read_stored, read_without_waking
from core.targets.extra import is_different_each_time
from core.targets.layout import CHAIN, FULLCHAIN, StoredFiles, content_of
from core.targets.paths import paths_of


def observe(
    target: TargetConfig,
    *,
    live: Path,
    outcome: Mapping[str, object] | None = None,
    on_fallback: bool = False,
    prober: Prober | None = None,
    names: Sequence[str] = (),
    timeout: float = 3.0,
) -> TargetState:
    """Return the state of a target that should have the version in the folder `live`. Never raises.

    Args:
        outcome: the recorded result of the last deployment: `state`, `sha256` (served), `why`.
        on_fallback: the fallback certificate replaced the live version, so that different files are expected.
        prober: if given, every listener of the service is also probed, which blocks up to `timeout` seconds.
        names: the names that the live certificate covers.
    """
    state, why = _from_files(target, live, on_fallback)
    remembered = outcome or {}
    served = _text(remembered.get("sha256"))
    listeners: tuple[ListenerState, ...] = ()
    if prober is not None and target.probe:
        from core.targets.judgement import served_of, states_of, summary
        from core.targets.sight import see_all

        sights, ours = see_all(prober, target, names, timeout=timeout), _live_sha256(live)
        listeners, served = states_of(sights, ours), served_of(sights, ours)
        if state == "deployed":
            state, why = summary(sights, ours)
            why = f"The files are correct, but {why} Reload the service." if state == "stale" else why
    elif state == "deployed" and remembered.get("state") == "unknown":
        state, why = "unknown", _text(remembered.get("why")) or ""
    if remembered.get("state") == "failed":
        state, why = "failed", _text(remembered.get("why")) or "The last deployment failed."
    return TargetState(name=target.name, state=state, served_sha256=served, why=why, listeners=listeners)


def _from_files(target: TargetConfig, live: Path, on_fallback: bool) -> tuple[str, str]:
    stored = StoredFiles(live)
    for path, file in paths_of(target):
        if file == CHAIN or is_different_each_time(file):
            continue
        try:
            ours = content_of(file, stored)
        except OSError as exc:
            return "unknown", f"The live version cannot be read: {exc.strerror}."
        try:
            theirs = read_without_waking(path)
        except FileNotFoundError:
            return "stale", f"{path} is missing. Deploy again."
        except OSError as exc:
            return "unknown", f"{path} cannot be read: {exc.strerror}."
        if theirs != ours and on_fallback:
            return "stale", "The fallback certificate is served until renewal succeeds."
        if theirs != ours:
            return "stale", f"{path} was changed by another program. Deploy again."
    return "deployed", ""


def _live_sha256(live: Path) -> str | None:
    from core.targets.fingerprint import sha256_of_pem

    try:
        return sha256_of_pem(read_stored(live / FULLCHAIN))
    except OSError:
        return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
