"""The manifest of a backup, and its comparison with a box. The comparison is pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import asdict

from core.archives import Difference
from core.config.model import Config
from core.dates import day_shown
from core.paths import Paths
from core.store.records import from_values, rfc3339
from core.store.sealed_stream import invalid
from core.version import VERSION


class Manifest(Struct, frozen=True, kw_only=True):
    """The first record of a backup."""

    version: str
    made: datetime
    hostname: str
    key_source: str
    """`file`, `passphrase`, `credential`, `none`."""
    certificates: tuple[tuple[str, ...], ...] = ()
    """Name, SHA-256 and end (RFC 3339) of each live version. SHA-256 and end are empty if no version is live."""
    accounts: tuple[str, ...] = ()
    targets: tuple[tuple[str, ...], ...] = ()
    """Name, path of the certificate and path of the key of each target."""


def manifest_of(paths: Paths, config: Config, *, hostname: str, now: datetime, key_source: str) -> Manifest:
    """Return the manifest of this box. Raises StoreError."""
    from core.store.accounts import list_accounts
    from core.store.index import facts_of_all

    ends = {facts.name: facts for facts in facts_of_all(paths)[0]}
    return Manifest(
        version=VERSION,
        made=now,
        hostname=hostname,
        key_source=key_source,
        certificates=tuple(
            (name, facts.sha256, _day(facts.not_after) if facts.sha256 else "") for name, facts in sorted(ends.items())
        ),
        accounts=tuple(record.id for record in list_accounts(paths)),
        targets=tuple((name, target.certificate, target.key) for name, target in sorted(config.targets.items())),
    )


def to_bytes(manifest: Manifest) -> bytes:
    return json.dumps({"kind": "manifest", **asdict(manifest), "made": rfc3339(manifest.made)}).encode()


def from_record(record: Mapping[str, object]) -> Manifest:
    """Parse the first record of a backup. Raises BackupInvalid."""
    try:
        if record.get("kind") != "manifest":
            raise ValueError("no manifest")
        found = from_values(Manifest, record)
        if not all(len(each) == 3 for each in (*found.certificates, *found.targets)):
            raise ValueError("incomplete")
    except (ValueError, TypeError) as exc:
        raise invalid("Its manifest is damaged.") from exc
    return found


def differences(
    theirs: Manifest, ours: Manifest, *, absent: Mapping[str, str], has_timer: bool, applied: bool = False
) -> Iterator[Difference]:
    """Yield the differences between a backup and this box. Pure.

    Args:
        absent: name of a target in the backup → one of its folders that does not exist here.
        has_timer: a timer starts the scheduled run here.
        applied: the backup has been restored; `ours` is what was here before.
    """
    if theirs.hostname != ours.hostname:
        text = f"The backup was made on {theirs.hostname}; this box is {ours.hostname}."
        yield Difference(kind="hostname", name="", state="changed", text=text)
    if theirs.version != ours.version:
        text = f"The backup was made by certdeck {theirs.version}; this is {ours.version}."
        yield Difference(kind="release", name="", state="changed", text=text)
    yield from _certificates(theirs, ours, applied=applied)
    for name in sorted(set(theirs.accounts) - set(ours.accounts)):
        yield Difference(kind="account", name=name, state="added", text=_added(f"account {name}", applied))
    for name in sorted(set(ours.accounts) - set(theirs.accounts)):
        yield Difference(kind="account", name=name, state="removed", text=_removed(f"account {name}", applied))
    for name, folder in sorted(absent.items()):
        text = f"{folder} of the target {name} does not exist here."
        yield Difference(kind="target", name=name, state="missing-path", text=text)
    if theirs.key_source in ("passphrase", "credential"):
        word = "the passphrase of the vault" if theirs.key_source == "passphrase" else "a systemd credential"
        text = f"The master key comes from {word}, which is not in the backup. Provide it on this box too."
        yield Difference(kind="vault", name="", state="absent", text=text)
    if not has_timer:
        text = "Nothing starts the scheduled run on this box. Set it up with `certdeck schedule on`."
        yield Difference(kind="timer", name="", state="absent", text=text)


def _added(thing: str, applied: bool) -> str:
    return f"The {thing} was restored. It was not on this box." if applied else f"The {thing} is only in the backup."


def _removed(thing: str, applied: bool) -> str:
    if applied:
        return f"The {thing} is not in the backup. Its files were moved aside."
    return f"The {thing} is only on this box."


def _certificates(theirs: Manifest, ours: Manifest, *, applied: bool) -> Iterator[Difference]:
    there = {name: (sha256, end) for name, sha256, end in theirs.certificates}
    here = {name: (sha256, end) for name, sha256, end in ours.certificates}
    for name in sorted(there.keys() | here.keys()):
        if name not in here:
            state, text = "added", _added(f"certificate {name}", applied)
        elif name not in there:
            state, text = "removed", _removed(f"certificate {name}", applied)
        elif there[name][0] == here[name][0]:
            continue
        else:
            state, word = _age(there[name][1], here[name][1], "the previous one" if applied else "the one here")
            which = f"restored certificate {name}" if applied else f"certificate {name} in the backup"
            text = f"The {which} {word}."
        yield Difference(kind="certificate", name=name, state=state, text=text)


def _age(there: str, here: str, other: str) -> tuple[str, str]:
    if there == here or not (there and here):
        return "changed", f"differs from {other}"
    ends = f"is {{}}: it expires on {_shown(there)}, {other} on {_shown(here)}"
    # RFC 3339 times in UTC sort as text.
    return ("older", ends.format("older")) if there < here else ("newer", ends.format("newer"))


def _shown(end: str) -> str:
    """Return the day of an RFC 3339 time of a manifest; the text itself if it is none."""
    try:
        return day_shown(datetime.fromisoformat(end))
    except ValueError:
        return end


def absent_folders(manifest: Manifest) -> dict[str, str]:
    """Return the targets whose files have no folder here, each with the first such folder. Opens no file."""
    found: dict[str, str] = {}
    for name, *files in manifest.targets:
        for file in filter(None, files):
            try:
                is_there = Path(file).parent.is_dir()
            except (OSError, ValueError):
                is_there = False
            if not is_there:
                found.setdefault(name, str(Path(file).parent))
    return found


def _day(epoch: float) -> str:
    return rfc3339(datetime.fromtimestamp(epoch, UTC))
