"""Whether AppArmor lets a service read the files of a target.

A confined service reads by its profile, whatever owner and mode of a file say: a deployment to a new folder ends with "permission
denied" although every account can read there. AppArmor looks at where a file really is, links followed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from core.apparmor.installed import enforced_now, profiles_of
from core.config.model import TargetConfig
from core.targets.kind import Kind
from core.targets.kinds import all_kinds, kind_named
from core.targets.paths import folder_of, is_copied, paths_of
from core.targets.service import is_pushed

_NEXT = "next"
"""Stands for the folder of the next version."""
_FOLDERS = (
    "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin", "/usr/libexec", "/usr/lib/ipsec",
    "/usr/lib/postfix/sbin",
)  # fmt: skip
"""Where the programs of services are."""


class Hidden(Struct, frozen=True, kw_only=True):
    """Files that a profile does not let a service read."""

    profile: str
    file: str
    """Path of the profile."""
    local: str
    """Path of the administrator's additions that it includes; empty where it includes none."""
    path: str
    """One of the files, or the folder of them."""
    rules: tuple[str, ...]
    """The rules that let it read them, without the comma."""

    @property
    def sentence(self) -> str:
        return f"AppArmor does not allow the service to read {self.path}: its profile {self.profile} is enforced."

    @property
    def fix(self) -> str:
        place = self.local or f"the profile {self.profile} in {self.file}"
        lines = " and ".join(f"`{rule},`" for rule in self.rules)
        return f"Add {lines} to {place}, then run: apparmor_parser -r {self.file}"


def hidden(target: TargetConfig, root: Path = Path("/")) -> Hidden | None:
    """Return what a profile that is enforced now keeps from the service of a target; None for nothing, or where it cannot be told.

    Args:
        target: resolved (`core.targets.resolved`).
        root: where the system's folders are.
    """
    if is_pushed(target):
        return None
    names = enforced_now(root)
    programs = programs_of(target) if names else ()
    if not programs:
        return None
    for file, profile in profiles_of(programs, root):
        if profile.name not in names or not profile.is_for(programs):
            continue
        unread = [path for path in _real_paths(target) if not profile.lets_read(path)]
        if unread:
            rules = tuple(dict.fromkeys(_rule(target, path) for path in unread))
            shown = unread[0] if is_copied(target) else str(folder_of(target))
            return Hidden(profile=profile.name, file=file, local=profile.local, path=shown, rules=rules)
    return None


def programs_of(target: TargetConfig) -> tuple[str, ...]:
    """Return where the programs may be that read the files of a target: absolute paths, empty where they are not known. Pure."""
    kind = kind_named(target.kind)
    names = _readers(kind) if kind is not None else ()
    if not names and target.reload:
        names = tuple(_reloaded(target.reload))
    plain = [name for name in names if "/" not in name and "*" not in name]
    return tuple(f"{folder}/{name}" for name in dict.fromkeys(plain) for folder in _FOLDERS)


def _reloaded(command: Sequence[str]) -> Iterator[str]:
    """Yield the programs that a reload command makes read files: those of the unit, or the command itself."""
    program, *words = command
    if os.path.basename(program) != "systemctl":
        yield os.path.basename(program)
        return
    for unit in (word.removesuffix(".service") for word in words[1:] if not word.startswith("-")):
        yield unit
        for kind in all_kinds():
            if kind.unit == f"{unit}.service":
                yield from _readers(kind)


def _readers(kind: Kind) -> tuple[str, ...]:
    return kind.key.programs or (kind.detect.programs if kind.detect is not None else ())


def _real_paths(target: TargetConfig) -> tuple[str, ...]:
    """Return where the files of a target are after the next deployment, links followed."""
    if is_copied(target):
        return tuple(os.path.realpath(path) for path, _ in paths_of(target))
    folder = os.path.realpath(folder_of(target))
    return tuple(os.path.join(folder, _NEXT, file) for _, file in paths_of(target))


def _rule(target: TargetConfig, path: str) -> str:
    """Return the rule that allows to read a file; in a folder of versions, all of them."""
    place = path if is_copied(target) else f"{os.path.realpath(folder_of(target))}/**"
    return f'"{place}" r' if " " in place else f"{place} r"
