"""The kinds of targets, in the form that front ends show."""

from __future__ import annotations

from core.errors import NotFound
from core.operations import KindInfo
from core.targets.kind import Kind
from core.targets.kinds import KINDS, all_kinds, kind_named, nearest


def kinds() -> tuple[KindInfo, ...]:
    """Return every kind of target, in display order."""
    return tuple(map(_info, all_kinds()))


def kind(name: str) -> KindInfo:
    """Return one kind. Raises NotFound (`not-found`), which suggests the closest name."""
    found = kind_named(name)
    if found is None:
        raise NotFound(
            f"There is no kind of target {name!r}.",
            f"{nearest(name)}The kinds are {', '.join(KINDS)}.",
            "See `certdeck target kinds`. The kind files works for every service that reads PEM files.",
        )
    return _info(found)


def _info(kind: Kind) -> KindInfo:
    action, exchange = kind.action, kind.action.exchange
    socket = "" if exchange is None else exchange.socket
    return KindInfo(
        name=kind.name,
        title=kind.title,
        group=kind.group,
        package=kind.package,
        unit=kind.unit,
        measured=kind.measured,
        proven=kind.proven,
        layouts=kind.files.layouts,
        certificate=kind.files.certificate,
        key=kind.files.key,
        files_remark=kind.files.remark,
        key_reader_at_start=kind.key.at_start,
        key_reader_at_reload=kind.key.at_reload,
        key_group=kind.key.group,
        test=kind.test.command,
        test_notices_missing=kind.test.missing,
        test_notices_mismatch=kind.test.mismatch,
        action=action.how,
        command=action.command,
        socket=socket,
        sessions=action.sessions,
        bad_pair=action.bad_pair,
        recover=action.recover,
        seconds=action.seconds,
        probe=kind.probe.usual,
        probe_needs_name=kind.probe.needs_name,
        can_probe=kind.probe.possible,
        remarks=kind.remarks,
    )
