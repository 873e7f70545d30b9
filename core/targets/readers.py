"""The service account that reads a key: which one it is, and the permissions that it needs.

Many services read the key once as root and at each reload as their own account: mode 0600 works at the start and breaks the first
renewal. If the account exists, its group gets read permission, and no one else.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from core.config.model import TargetConfig
from core.errors import StageFailed
from core.foreign.attributes import ACCESS_LIST, Attributes, without_others
from core.foreign.opened import Copy
from core.targets.change import Place
from core.targets.extra import is_extra
from core.targets.kind import KeyReader
from core.targets.kinds import kind_named

_GROUP_READS, _OTHERS, _OTHERS_READ, _OTHERS_ENTER = 0o040, 0o007, 0o004, 0o001

ReadsAs = Callable[[str, Path], bool | None]
"""Returns whether an account can read a file; None if that cannot be determined, for example without root."""


class Reader(Struct, frozen=True, kw_only=True):
    """An account of this machine."""

    name: str
    uid: int
    groups: tuple[int, ...]
    """All of its groups."""
    group: int
    """The group that gets read permission for the key."""
    group_name: str
    is_certain: bool = True
    """False: whether it reads the key depends on the service's configuration."""


def readers_of(target: TargetConfig) -> tuple[Reader, ...]:
    """Return the accounts other than root that read the key of a target: those of its kind that exist on this machine."""
    kind = kind_named(target.kind)
    if kind is None or os.geteuid() != 0:
        return ()  # without root, the user owns the files and cannot change their group
    found = (_reader(account, kind.key) for account in kind.key.accounts)
    return tuple(reader for reader in found if reader is not None)


def _reader(name: str, key: KeyReader) -> Reader | None:
    """Return an account; None if this machine has no account with that name."""
    import grp
    import pwd

    try:
        account = pwd.getpwnam(name)
    except KeyError:
        return None
    group, group_name = account.pw_gid, name
    with suppress(KeyError):
        group = grp.getgrnam(key.group).gr_gid
    with suppress(KeyError):
        group_name = grp.getgrgid(group).gr_name
    return Reader(
        name=name,
        uid=account.pw_uid,
        groups=tuple(os.getgrouplist(name, account.pw_gid)),
        group=group,
        group_name=group_name,
        is_certain=key.certain,
    )


def can_read(attributes: Attributes, reader: Reader) -> bool:
    """Return whether owner, group and mode let an account read a file. Pure; the folders above the file are not checked."""
    if attributes.uid == reader.uid:
        return bool(attributes.mode & 0o400)
    if attributes.gid in reader.groups:
        return bool(attributes.mode & 0o040)
    return bool(attributes.mode & 0o004)


def readable(attributes: Attributes, readers: tuple[Reader, ...], *, is_decided: bool = False) -> Attributes:
    """Return the attributes for a key: readable for the group of its readers, and for no others. Pure.

    An access list, and a group that can already read, are an administrator's decision and stay; `prove` checks the result.

    Args:
        is_decided: the configuration sets owner, group or mode.
    """
    if not readers or is_decided or any(name == ACCESS_LIST for name, _ in attributes.xattrs):
        return attributes
    closed = replace(attributes, mode=attributes.mode & ~_OTHERS)
    for reader in readers:
        if not can_read(closed, reader) and not closed.mode & _GROUP_READS:
            closed = replace(closed, gid=reader.group, mode=closed.mode | _GROUP_READS)
    return closed


def closed(target: TargetConfig, place: Place, copy: Copy, attributes: Attributes) -> Attributes:
    """Return the attributes for a new key: not readable for others if every account could read the old one.

    A closed folder above the file protects it as well. If it is unknown which account reads the key, the mode stays: a stricter one
    could stop a service. `target test` reports such a key.

    Args:
        place: where the key will be.
        copy: the existing file.
    """
    if not attributes.mode & _OTHERS_READ or not all(level.mode & _OTHERS_ENTER for level in copy.way):
        return attributes
    kind = kind_named(target.kind)
    is_known = kind is not None and kind.group != "any" and not target.in_place and not is_extra(place.file)
    return without_others(attributes) if is_known else attributes


def prove(target: TargetConfig, readers: tuple[Reader, ...], file: Path, reads_as: ReadsAs) -> None:
    """Read a staged key as each of its readers. Raises StageFailed (`stage-failed`): nothing visible has changed yet."""
    for reader in readers:
        if reader.is_certain and reads_as(reader.name, file) is False:
            raise StageFailed(
                f"The account {reader.name} cannot read the key of target {target.name}.",
                f"{target.kind} reads it as {reader.name}, but the permissions of the folder "
                f"{file.parent.parent.parent} or of the key prevent it.",
                f"Allow {reader.name} to enter the folder, and set the key's group: chgrp {reader.group_name} "
                f"{target.key} && chmod 640 {target.key}",
                details={"target": target.name, "live": "old"},
            )
