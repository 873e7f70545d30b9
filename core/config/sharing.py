"""Targets that read the same files: the first of them owns the files, and the others refer to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from core.config.model import TargetConfig

FILE_SETTINGS = ("mode", "in_place", "owner", "group", "file_mode", "pfx_passphrase_file")
"""Settings for writing the files, which have to be the same for all targets with these files."""
_UNSET = TargetConfig(name="")


def owner_of(target: TargetConfig) -> str:
    """Return the name of the target that owns this target's files. Pure."""
    return target.files_of or target.name


def with_owners(targets: Mapping[str, TargetConfig]) -> dict[str, TargetConfig]:
    """Return the targets with `files_of` set to the owner: an explicit owner, otherwise the first target with these files. Pure."""
    owners = {each.files_of: each for each in targets.values() if each.files_of is not None}
    first: dict[tuple[object, ...], str] = {}
    for name, target in targets.items():
        if name in owners:
            first[_files(target)] = name
    found = {}
    for name, target in targets.items():
        owner = name if _is_apart(target) else first.setdefault(_files(target), name)
        found[name] = target if owner == name or name in owners else replace(target, files_of=owner)
    return found


def sharing(target: TargetConfig, others: Iterable[TargetConfig]) -> TargetConfig:
    """Return a new target with the owner and, where not set, the file settings of another target with the same files. Pure."""
    if _is_apart(target):
        return target
    for other in others:
        if other.name != target.name and other.files_of != target.name and _files(other) == _files(target):
            kept = {key: getattr(other, key) for key in FILE_SETTINGS if getattr(target, key) == getattr(_UNSET, key)}
            return replace(target, files_of=owner_of(other), **kept)
    return target


def with_sharers(chosen: Sequence[TargetConfig], configured: Iterable[TargetConfig]) -> tuple[TargetConfig, ...]:
    """Return the targets, followed by all other targets with the same files, which are deployed together. Pure."""
    owners = {owner_of(each) for each in chosen}
    names = {each.name for each in chosen}
    return (*chosen, *(each for each in configured if owner_of(each) in owners and each.name not in names))


def _is_apart(target: TargetConfig) -> bool:
    return target.files_of is not None or not target.certificate or target.host is not None


def _files(target: TargetConfig) -> tuple[object, ...]:
    return (target.certificate, target.key or target.certificate, target.chain, tuple(sorted(target.also)))
