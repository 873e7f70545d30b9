"""Problems of configured targets, reported before anything is changed."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from core.config.model import TargetConfig
from core.config.sharing import FILE_SETTINGS, owner_of
from core.errors import ConfigError
from core.foreign.mounts import mount_points
from core.targets.extra import extras_of
from core.targets.kinds import kind_of
from core.targets.layout import ONE_FILE, layout_of, layouts_of
from core.targets.paths import paths_of, place_of
from core.targets.resolved import COMMAND
from core.targets.service import is_pushed

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
MODES = ("link", "copy")
REMOTE = (
    "host",
    "user",
    "port",
    "remote_certificate",
    "remote_key",
    "remote_chain",
    "remote_test",
    "remote_reload",
    "identity_file",
    "known_hosts",
)
"""Settings of a target on another machine."""
_UNSET = TargetConfig(name="")


def refuse(
    targets: Sequence[TargetConfig],
    configured: Iterable[TargetConfig] = (),
    state: Path | None = None,
    mounts: Collection[str] | None = None,
) -> None:
    """Raise if one of `targets` cannot work as configured. Pure except for resolving links in folder names.

    Args:
        configured: the other targets: two targets share either all of their files or no path.
        state: folder of certdeck's own state, where no target may write.
        mounts: mount points; by default those of this system.

    Raises:
        ConfigError (`config-invalid`): all problems at once, in `details["problems"]`.
    """
    if not targets:
        return
    for target in targets:
        kind_of(target)
    others = [*targets, *configured]
    taken = mount_points() if mounts is None else mounts
    problems = [problem for target in targets for problem in _problems(target, others, state, taken)]
    if not problems:
        return
    raise ConfigError(
        problems[0][0],
        problems[0][1] if len(problems) == 1 else " ".join([problems[0][1], *(what for what, _, _ in problems[1:])]),
        problems[0][2],
        details={"problems": [what for what, _, _ in problems]},
    )


def _problems(
    target: TargetConfig, configured: Iterable[TargetConfig], state: Path | None, mounts: Collection[str]
) -> Iterator[tuple[str, str, str]]:
    where = f"[targets.{target.name}]"
    if not NAME.fullmatch(target.name):
        yield (
            f"The target name {target.name!r} is not valid.",
            "It becomes part of a folder name: 1 to 128 letters, digits, dots, underscores and hyphens, not starting with a dot.",
            f"Rename {where}.",
        )
        return
    layout = layout_of(target)
    is_one_file = layout in ONE_FILE
    yield from _wrong_layout(target, layout, where)
    key = (target.key or None) if is_one_file else target.key
    named = {"certificate": target.certificate, "key": key, "chain": target.chain}
    for word, path in named.items():
        if path is not None and not os.path.isabs(path):
            given = f"is {path!r}" if path else "is missing"
            yield (
                f"The {word} path of target {target.name} {given}.",
                "A service and a timer have different working folders, so only an absolute path means the same to both.",
                f"Set a path that begins with / in {where}.",
            )
            return
    if target.kind == COMMAND and not target.reload:
        yield (
            f"The target {target.name} of kind command has no reload command.",
            "This command makes the service load the files.",
            f"Set reload in {where}, or use the kind files.",
        )
    yield from _wrong_remote(target, is_one_file, where)
    if target.mode not in MODES:
        yield (
            f"The target {target.name} has an unknown mode: {target.mode!r}.",
            "The modes are link and copy.",
            f"Correct mode in {where}.",
        )
    if target.file_mode is not None and not re.fullmatch(r"0?[0-7]{3}", target.file_mode):
        yield (
            f"The file_mode {target.file_mode!r} of target {target.name} is not a file mode.",
            "It must be three octal digits for owner, group and others.",
            f'Write it as "0640", for example, in {where}.',
        )
    if is_one_file and key is not None:
        if place_of(key) != place_of(target.certificate):
            yield (
                f"Target {target.name} has a path for the key, but its layout puts the key into the certificate's file.",
                f"In the layout {layout}, both are in one file.",
                f'Remove key from {where}, or set layout = "separate".',
            )
            return
        named["key"] = None
    places = [
        place_of(path) for path in (*named.values(), *(str(path) for path, _ in extras_of(target))) if path is not None
    ]
    if len(places) > 1 and places[0] == places[1] and not is_one_file:
        yield (
            f"Target {target.name} has the same path for certificate and key.",
            f"In the layout {layout}, they are in two files.",
            f'Set two different paths in {where}, or set layout = "combined" or "key-first".',
        )
    elif len(set(places)) < len(places):
        yield (
            f"Target {target.name} uses the same path twice.",
            "Certificate, key, chain and each entry of also are separate files.",
            f"Set different paths in {where}.",
        )
    if state is not None and any(place.startswith(f"{os.path.realpath(state)}/") for place in places):
        yield (
            f"Target {target.name} points into certdeck's own state.",
            "certdeck switches the files below live/ automatically; a deployment never writes them.",
            f"Set other paths for the service in {where}.",
        )
    for place in places:
        if place in mounts and not target.in_place:
            yield (
                f"Target {target.name} cannot replace {place}.",
                "This path is a mount point (as when a container mounts a single file), so no file can be renamed onto it.",
                f"Mount the folder instead of the file, or set in_place = true in {where}; the change is then not atomic.",
            )
    yield from _wrong_sharing(target, places, configured, where)


def _wrong_sharing(
    target: TargetConfig, places: Sequence[str], configured: Iterable[TargetConfig], where: str
) -> Iterator[tuple[str, str, str]]:
    """Yield conflicts with targets that write to the same paths, except those that share all of their files."""
    others = {each.name: each for each in configured if each.name != target.name}
    owner = None if target.files_of is None else others.get(target.files_of)
    if target.files_of is not None and (owner is None or owner.files_of is not None or is_pushed(target)):
        yield (
            f"Target {target.name} cannot use the files of {target.files_of}.",
            "A target of kind ssh has its own files."
            if is_pushed(target)
            else f"There is no other target {target.files_of} with its own files.",
            f"Correct or remove files_of in {where}.",
        )
        return
    for other in others.values():
        if owner_of(other) == owner_of(target):
            different = _differences(target, other)
            if different:
                yield (
                    f"Targets {target.name} and {other.name} share their files, but differ in {', '.join(different)}.",
                    "The files are written once, for all services that read them.",
                    f"Give both the same {' and '.join(different)}, or set other paths in one of them.",
                )
            continue
        shared = set(places) & {place_of(path) for path in all_paths(other)}
        if shared:
            yield (
                f"Targets {target.name} and {other.name} share the path {min(shared)}.",
                "Each target would overwrite the files of the other. Targets can share files only if they share all of them.",
                "Set the same certificate, key, chain and also in both, or set separate paths.",
            )


def _differences(target: TargetConfig, other: TargetConfig) -> list[str]:
    """Return the settings in which two targets with the same files differ."""
    found = [key for key in FILE_SETTINGS if getattr(target, key) != getattr(other, key)]
    if sorted(paths_of(target)) != sorted(paths_of(other)):
        found.append("paths and layout")
    return found


def _wrong_remote(target: TargetConfig, is_one_file: bool, where: str) -> Iterator[tuple[str, str, str]]:
    """Yield what a target on another machine lacks, and settings that are valid only for local or only for remote targets."""
    if not is_pushed(target):
        given = [word for word in REMOTE if getattr(target, word) != getattr(_UNSET, word)]
        if given:
            yield (
                f"The target {target.name} of kind {target.kind} has {', '.join(given)}.",
                "Only a target of kind ssh is on another machine.",
                f'Remove these settings from {where}, or set kind = "ssh".',
            )
        return
    if target.also:
        yield (
            f"The target {target.name} of kind ssh has further files (also).",
            "Only certificate, key and chain are copied to the other machine.",
            f"Remove also from {where}; use a second target for other files.",
        )
    needed = {
        "host": target.host,
        "remote_certificate": target.remote_certificate,
        "remote_key": is_one_file or target.remote_key,
        "remote_chain": target.chain is None or target.remote_chain,
    }
    for word in (word for word, given in needed.items() if not given):
        yield (
            f"The target {target.name} of kind ssh has no {word}.",
            "Its local paths are only the local copy.",
            f"Set {word} in {where}.",
        )
    if target.reload:
        yield (
            f"The target {target.name} of kind ssh has a reload command.",
            "On the other machine, certdeck runs remote_reload.",
            f"Rename reload to remote_reload in {where}.",
        )
    remote = [path for path in (target.remote_certificate, target.remote_key, target.remote_chain) if path]
    if len(set(remote)) < len(remote):
        yield (
            f"Target {target.name} uses the same path on the other machine twice.",
            "Certificate, key and chain are separate files there.",
            f"Set different paths in {where}.",
        )


def all_paths(target: TargetConfig) -> list[str]:
    """Return every path that a target writes, as configured."""
    named = [path for path in (target.certificate, target.key, target.chain) if path]
    return [*named, *(str(path) for path, _ in extras_of(target))]


def _wrong_layout(target: TargetConfig, layout: str, where: str) -> Iterator[tuple[str, str, str]]:
    known = layouts_of(target.kind)
    if layout not in known:
        yield (
            f"The target {target.name} has the layout {layout!r}, which {target.kind} cannot read.",
            f"{target.kind} supports: {', '.join(known)}.",
            f"Correct layout, or the paths of certificate and key, in {where}.",
        )
