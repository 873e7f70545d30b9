"""What makes another client renew: a systemd timer that is switched on, or the line of a crontab. Read, never run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.adopt.found import Timer, names_in, read

_UNITS = ("etc/systemd/system", "lib/systemd/system", "usr/lib/systemd/system")
_LINE_CHARACTERS = 200


def timer_of(root: Path, words: Sequence[str]) -> Timer | None:
    """Return what runs a program that is called by one of `words`, or None."""
    called = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(map(re.escape, words))})(?![A-Za-z0-9])")
    return next(_systemd(root, called), None) or next(_cron(root, called), None)


def _systemd(root: Path, called: re.Pattern[str]) -> Iterator[Timer]:
    on = set(names_in(root / "etc/systemd/system/timers.target.wants"))
    for folder in _UNITS:
        for unit in names_in(root / folder):
            if not unit.endswith(".timer") or unit not in on:
                continue
            service = read(root / folder / f"{unit.removesuffix('.timer')}.service") or b""
            runs = [line for line in _lines(service) if line.startswith("ExecStart")]
            if called.search(unit) or any(called.search(line) for line in runs):
                yield Timer(file=root / folder / unit, line=unit, off=f"systemctl disable --now {unit}")


def _cron(root: Path, called: re.Pattern[str]) -> Iterator[Timer]:
    systemd = (root / "run/systemd/system").is_dir()
    tables = [root / "etc/crontab", *(root / "etc/cron.d" / name for name in names_in(root / "etc/cron.d"))]
    users = root / "var/spool/cron/crontabs"
    tables += [users / name for name in names_in(users)]
    for period in ("hourly", "daily", "weekly", "monthly"):
        folder = root / f"etc/cron.{period}"
        tables += [folder / name for name in names_in(folder)]
    for table in tables:
        for line in _lines(read(table) or b""):
            # Debian's own line for certbot does nothing where systemd runs, whose timer does the work.
            if called.search(line) and not (systemd and "/run/systemd/system" in line):
                edit = f"crontab -u {table.name} -e" if table.parent == users else f"edit {table}"
                yield Timer(file=table, line=line, off=f"{edit}, and remove its line")


def _lines(text: bytes) -> Iterator[str]:
    for line in text.decode("utf-8", "replace").splitlines():
        plain = "".join(char if char.isprintable() else " " for char in line).strip()
        if plain and not plain.startswith("#"):
            yield plain[:_LINE_CHARACTERS]
