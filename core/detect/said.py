"""Turns findings into values for users and programs: IDs, shared files, problems, and the target that would take a service over."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from msgspec.structs import replace

from core.config.model import TargetConfig
from core.detect.seen import Seen
from core.detected import DetectedService, Presented
from core.targets.kind import LEAF, SEPARATE
from core.targets.kinds import kind_named
from core.targets.paths import place_of
from core.text import visible

FILES, COMMAND = "files", "command"
_ID_DIGITS = 4


def described(
    found: Sequence[tuple[Seen, tuple[Presented, ...]]],
    strangers: Mapping[str, tuple[Presented, ...]],
    targets: Mapping[str, TargetConfig],
    root: Path,
    now: datetime,
) -> tuple[DetectedService, ...]:
    """Return the services in the order of `found`, then unknown programs that present a certificate.

    Args:
        strangers: name of a program → what it presents.
        root: where the folders of other ACME clients are searched.
    """
    services: list[DetectedService] = []
    numbers: Counter[str] = Counter()
    names = set(targets)
    for seen, presented in found:
        if seen.pair is None and not presented and not seen.problems:
            continue  # it runs without TLS
        kind = seen.instance.kind
        id = _id(seen, presented)
        numbers[id] += 1
        services.append(
            DetectedService(
                id=id if numbers[id] == 1 else f"{id}:{numbers[id]}",
                kind=kind,
                title=seen.instance.title,
                running=seen.instance.program is not None,
                listeners=presented,
                certificate=seen.pair.certificate if seen.pair else None,
                key=seen.pair.key if seen.pair else None,
                target=_target_of(seen, targets),
                problems=tuple(_problems(seen, presented, root, now)),
            )
        )
        if seen.pair is not None and services[-1].target is None:
            services[-1] = replace(services[-1], suggest=_suggested(seen, presented, names))
    for name, answers in sorted(strangers.items()):
        services.append(
            DetectedService(
                id=visible(name, 64),
                kind=FILES,
                title=visible(name, 64),
                running=True,
                listeners=answers,
                problems=("certdeck does not support this program, so the files it reads are not known.",),
            )
        )
    return _sharing(services)


def _id(seen: Seen, presented: Sequence[Presented]) -> str:
    """Return an ID that stays the same between runs, whatever other services start or stop."""
    kind = seen.instance.kind
    if seen.pair is not None:
        what = place_of(seen.pair.certificate)
    else:
        what = presented[0].address if presented else seen.instance.title
    return f"{kind}:{hashlib.sha256(what.encode(errors='surrogateescape')).hexdigest()[:_ID_DIGITS]}"


def _target_of(seen: Seen, targets: Mapping[str, TargetConfig]) -> str | None:
    if seen.pair is None:
        return None
    place, kind = place_of(seen.pair.certificate), seen.instance.kind
    of_files = {
        name: each for name, each in targets.items() if each.certificate and place_of(each.certificate) == place
    }
    of_service = [name for name, each in of_files.items() if _is_service(each.kind, kind)]
    return next(iter([*of_service, *(name for name, each in of_files.items() if each.kind in (FILES, COMMAND))]), None)


def _is_service(kind: str, other: str) -> bool:
    """Return whether two kinds are variants of the same service, such as haproxy and haproxy-runtime."""
    row, other_row = kind_named(kind), kind_named(other)
    return kind == other or bool(row and other_row and row.unit and row.unit == other_row.unit)


def _problems(seen: Seen, presented: Sequence[Presented], root: Path, now: datetime) -> Iterator[str]:
    yield from seen.problems
    if seen.file is None:
        return
    yield from seen.file.problems
    for each in presented:
        if each.sha256 is None:
            yield each.why
        elif seen.file.sha256 and each.sha256 != seen.file.sha256:
            yield f"{each.address} presents a different certificate from the one in its file. Reload or restart the service."
    ended = {each.address for each in presented if each.not_after is not None and each.not_after <= now}
    if ended:
        yield f"The certificate on {', '.join(sorted(ended))} has expired."
    yield from _held_by_client(seen.file.sha256, root)


def _held_by_client(sha256: str | None, root: Path) -> Iterator[str]:
    """Report which other ACME client manages a certificate: it would keep renewing it in the same place."""
    from core.adopt.search import holders_of

    if sha256:
        for each in holders_of(root, sha256)[:1]:
            yield f"{each.client} manages this certificate. Take it over with `certdeck adopt --from {each.client}`."


def _suggested(seen: Seen, presented: Sequence[Presented], names: set[str]) -> TargetConfig:
    """Return the target that would take a service over, under a free name, which is added to `names`."""
    pair, file, kind = seen.pair, seen.file, seen.instance.kind
    assert pair is not None
    name, number = kind, 1
    while name in names:
        number += 1
        name = f"{kind}-{number}"
    names.add(name)
    row, layout = kind_named(kind), file.layout if file else SEPARATE
    if pair.chain and layout == SEPARATE:
        layout = LEAF
    fits = row is not None and layout in row.files.layouts
    test, reload = seen.test, seen.reload
    if row is not None and not fits:
        # The kind does not write this file layout: use the kind `files` with the same commands.
        test, reload = test or row.test.command, reload or row.action.command
    usual = row.files.layouts[0] if row is not None and fits else SEPARATE
    return TargetConfig(
        name=name,
        kind=kind if fits else FILES,
        certificate=pair.certificate,
        key=pair.key if pair.key != pair.certificate else "",
        chain=pair.chain or None,
        layout=layout if layout != usual else None,
        test=test,
        reload=reload,
        names=tuple(name for name in pair.names if "." in name),
        probe=tuple(each.address for each in presented if each.sha256),
        owner=file.owner if file else None,
        group=file.group if file else None,
        file_mode=file.mode if file else None,
    )


def _sharing(services: Sequence[DetectedService]) -> tuple[DetectedService, ...]:
    """Fill in which services read the same files."""
    readers: dict[str, list[str]] = {}
    for each in services:
        for place in _places(each):
            readers.setdefault(place, []).append(each.id)

    def shared(service: DetectedService) -> tuple[str, ...]:
        others = [other for place in _places(service) for other in readers[place] if other != service.id]
        return tuple(dict.fromkeys(others))

    return tuple(replace(each, shared_with=shared(each)) for each in services)


def _places(service: DetectedService) -> tuple[str, ...]:
    return tuple(dict.fromkeys(os.path.realpath(path) for path in (service.certificate, service.key) if path))
