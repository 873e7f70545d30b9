"""The certificate and key files of a service: whether they are usable, and who owns them. No key leaves this module."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from msgspec import Struct

from core.detect.reading import Pair, shown
from core.regular import read_without_waking
from core.targets.kind import COMBINED, KEY_FIRST, SEPARATE

_DEFAULT_MODE = 0o600


class Stored(Struct, frozen=True, kw_only=True):
    """The files at the paths of a pair."""

    sha256: str | None = None
    """Of the first certificate; None if there is none."""
    names: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    owner: str | None = None
    """Of the key, if it is not root."""
    group: str | None = None
    mode: str | None = None
    """Of the key, in octal, if it is not 0600."""
    layout: str = SEPARATE
    """How certificate and key are arranged in their files."""


def stored(pair: Pair) -> Stored:
    """Check the files of a pair. Never raises."""
    from core.store.versions import certificate_facts

    problems: list[str] = []
    certificate, key = _content(pair.certificate, "certificate", problems), b""
    if pair.key == pair.certificate:
        key = certificate
    else:
        key = _content(pair.key, "key", problems)
    sha256: str | None = None
    names: tuple[str, ...] = ()
    if certificate:
        try:
            facts = certificate_facts(certificate)
        except ValueError as exc:
            problems.append(f"{shown(pair.certificate)} cannot be used as a certificate. {exc}")
        else:
            sha256, names = facts.sha256, tuple(facts.names)
    if sha256 and key:
        from core.x509.pair import pair_problem

        problem = pair_problem(certificate, key)
        if problem:
            problems.append(problem)
    owner, group, mode = _owner(pair.key, problems)
    return Stored(
        sha256=sha256,
        names=names,
        problems=tuple(problems),
        owner=owner,
        group=group,
        mode=mode,
        layout=_layout(certificate) if pair.key == pair.certificate else SEPARATE,
    )


def _layout(content: bytes) -> str:
    """Return the order of certificate and key in one file."""
    key, certificate = content.find(b"PRIVATE KEY-----"), content.find(b"-----BEGIN CERTIFICATE-----")
    return KEY_FIRST if 0 <= key < certificate else COMBINED


def _content(path: str, word: str, problems: list[str]) -> bytes:
    try:
        content = read_without_waking(Path(path))
    except FileNotFoundError:
        problems.append(f"The {word} {shown(path)} is missing.")
    except OSError as exc:
        problems.append(f"The {word} {shown(path)} cannot be read: {exc.strerror}.")
    else:
        if content:
            return content
        problems.append(f"The {word} {shown(path)} is empty.")
    return b""


def _owner(path: str, problems: list[str]) -> tuple[str | None, str | None, str | None]:
    """Return owner, group and mode of a key, each None if it is root's or 0600."""
    try:
        found = os.stat(path)
    except OSError:
        return None, None, None
    mode = stat.S_IMODE(found.st_mode) & 0o777
    if mode & 0o004:
        problems.append(f"Every user on this box can read the key {shown(path)}.")
        mode &= 0o770
    return (
        None if found.st_uid == 0 else account(found.st_uid),
        _group(found.st_gid),
        None if mode == _DEFAULT_MODE else f"{mode:04o}",
    )


def account(uid: int) -> str:
    """Return the name of a user, or the number if it has none."""
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group(gid: int) -> str | None:
    import grp

    try:
        return None if gid == 0 else grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
