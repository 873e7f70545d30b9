"""What makes another client renew: an enabled systemd timer, or a line of a crontab. Read, never run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.adopt.found import Timer, names_in, read

_UNITS = ("etc/systemd/system", "lib/systemd/system", "usr/lib/systemd/system")
_LINE_CHARACTERS = 200


def timers_of(root: Path, words: Sequence[str]) -> Iterator[Timer]:
    """Yield what runs a program named by one of `words`: systemd timers first."""
    called = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(map(re.escape, words))})(?![A-Za-z0-9])")
    yield from _systemd(root, called)
    yield from _cron(root, called)


def built_in(root: Path, client: str) -> Timer | None:
    """Return the entry for a server that renews its certificates itself; None for every other client."""
    if client == "caddy":
        file = root / "etc/caddy/Caddyfile"
        off = "name the certificate in its site (tls CERT KEY), or remove the site"
    elif client == "mod_md":
        file = root / "etc/apache2"
        off = "set `MDRenewMode manual`, or remove the name from MDomain, and reload Apache"
    else:
        return None
    return Timer(file=file, line="built into the server", off=off, is_built_in=True)


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
            # Debian's own cron line for certbot does nothing under systemd, where a timer does the work.
            if called.search(line) and not (systemd and "/run/systemd/system" in line):
                yield Timer(file=table, line=line, off=_cron_off(line, table, table.parent == users))


def _cron_off(line: str, table: Path, is_users: bool) -> str:
    own = re.search(r"""["']?(/[A-Za-z0-9._/-]*/\.acme\.sh)["']?/acme\.sh["']? --cron""", line)
    if own and is_users and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", table.name):
        command = f"{own[1]}/acme.sh --uninstall-cronjob"
        return command if table.name == "root" else f"sudo -u {table.name} {command}"
    return f"{f'crontab -u {table.name} -e' if is_users else f'edit {table}'}, and remove its line"


def _lines(text: bytes) -> Iterator[str]:
    for line in text.decode("utf-8", "replace").splitlines():
        plain = "".join(char if char.isprintable() else " " for char in line).strip()
        if plain and not plain.startswith("#"):
            yield plain[:_LINE_CHARACTERS]
