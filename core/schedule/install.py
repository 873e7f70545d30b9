"""Installs the scheduled run in systemd or cron, and removes it again.

systemd if it runs on this box and we are root; otherwise a file in /etc/cron.d for root, or the user's own crontab. A file that
certdeck did not write, or that belongs to another state folder, is never changed. If systemd refuses, the previous state is
restored.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from core.errors import CertdeckError
from core.schedule import crontab, units
from core.schedule.record import CRON, CRONTAB, PACKAGE, SYSTEMD, ScheduleRecord
from core.schedule.user_crontab import has_cron, read_crontab, write_crontab
from core.store.atomic import remove_file, storing, write_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.ports import CancelToken, Environment
    from core.schedule.timetable import Timetable

_SYSTEMCTL_SECONDS = 60.0
_MODE = 0o644
"""Other accounts read units and crontabs, which contain no secret."""


def method_here(env: Environment) -> str | None:
    """Return what starts scheduled programs on this box: `systemd`, `cron`, `crontab`, or None."""
    places = env.places
    if places.is_root and places.systemd.is_dir():
        return SYSTEMD
    if not has_cron(env.runner):
        return None
    return CRON if places.is_root and places.cron.is_dir() else CRONTAB


def no_way(env: Environment, timetable: Timetable, program: str) -> CertdeckError:
    """Return the error for a box that cannot start scheduled runs; it includes the lines to add manually."""
    lines = crontab.user_lines(timetable, program, home_of(env))
    why, way = "This box has neither systemd nor cron.", "Install cron"
    if env.places.systemd.is_dir():
        why, way = "Only root can install a systemd timer, and cron is not installed.", "Run it as root"
    return CertdeckError(
        "Nothing on this box can start the scheduled run.",
        why,
        f"{way}, or use another scheduler to run this: {lines[0]}",
        details={"lines": list(lines)},
    )


def home_of(env: Environment) -> str | None:
    """Return CERTDECK_HOME as an absolute path for a timer; None if it is not set."""
    home = env.variables.get("CERTDECK_HOME")
    return str(Path(home).absolute()) if home else None


def install(env: Environment, state: Path, wanted: ScheduleRecord, cancel: CancelToken) -> ScheduleRecord:
    """Install the schedule in `wanted`; return it with the files that have to exist. Raises StoreError, CertdeckError."""
    places, home = env.places, home_of(env)
    if wanted.how == SYSTEMD:
        _install_units(
            env,
            state,
            cancel,
            {
                places.units / units.SERVICE: units.service_unit(wanted.program, home, state),
                places.units / units.TIMER: units.timer_unit(wanted.timetable, state),
            },
        )
        return replace(wanted, files=(places.units / units.TIMER, places.units / units.WANTED_BY))
    if wanted.how == CRON:
        path = places.cron / crontab.FILE
        _refuse_foreign(path, state)
        text = crontab.system_file(wanted.actual, wanted.program, home, state).encode()
        if _content(path) != text:
            write_file(path, text, _MODE)
        return replace(wanted, files=(path,))
    lines = crontab.user_lines(wanted.actual, wanted.program, home)
    try:
        there = read_crontab(env.runner)
        changed = crontab.with_ours(there, lines, home)
        if changed != there:
            write_crontab(env.runner, changed)
    except CertdeckError as exc:
        exc.details = {**exc.details, "lines": list(lines)}
        raise
    return wanted


def uninstall(env: Environment, state: Path, hows: Sequence[str], cancel: CancelToken) -> bool:
    """Remove what was installed with these methods; return whether there was anything. Raises StoreError, CertdeckError."""
    places, removed = env.places, False
    if SYSTEMD in hows:
        removed |= _uninstall_units(env, state, cancel)
    if PACKAGE in hows:
        _systemctl(env, cancel, "disable", "--now", units.PACKAGED_TIMER)
        removed = True
    if CRON in hows and _is_ours(places.cron / crontab.FILE, state):
        remove_file(places.cron / crontab.FILE)
        removed = True
    if CRONTAB in hows and has_cron(env.runner):
        there = read_crontab(env.runner)
        rest = crontab.without_ours(there, home_of(env))
        if rest != there:
            write_crontab(env.runner, rest)
            removed = True
    return removed


def installed_trouble(env: Environment, record: ScheduleRecord) -> str:
    """Query systemd or cron; return why the installed schedule does not run, or an empty text."""
    if record.how in (SYSTEMD, PACKAGE):
        timer = units.TIMER if record.how == SYSTEMD else units.PACKAGED_TIMER
        asked = env.runner.run(["systemctl", "is-active", timer], timeout=_SYSTEMCTL_SECONDS)
        if asked.returncode in (0, 127) or asked.timed_out:
            return ""
        return f"The timer is installed, but systemd reports that it is not active. Start it with `systemctl start {timer}`."
    if record.how == CRONTAB:
        lines = crontab.user_lines(record.actual, record.program, home_of(env))
        try:
            there = read_crontab(env.runner).split("\n")
        except CertdeckError as exc:
            return f"{exc.what} {exc.why}"
        if not set(lines) <= set(there):
            return "Its lines are no longer in the crontab. Restore them with `certdeck schedule on`."
    return ""


# -- units -------------------------------------------------------------------------------------------------------------


def install_fleet_service(env: Environment, state: Path, program: str, cancel: CancelToken) -> Path:
    """Install and start the service of a fleet's box; return its unit. Raises StoreError, CertdeckError."""
    places = env.places
    if not (places.is_root and places.systemd.is_dir()):
        raise CertdeckError(
            "Nothing on this box can keep the fleet service running.",
            "systemd is not running here." if places.is_root else "Only root can install a systemd service.",
            f"Use another supervisor to keep this running: {program} fleet watch",
        )
    unit = places.units / units.FLEET_SERVICE
    texts = {unit: units.fleet_unit(program, home_of(env), state)}
    _install_units(env, state, cancel, texts, starts=units.FLEET_SERVICE)
    return unit


def uninstall_fleet_service(env: Environment, state: Path, cancel: CancelToken) -> bool:
    """Stop and remove the service of a fleet; return whether it existed. Raises StoreError, CertdeckError."""
    return _remove_units(env, state, cancel, [units.FLEET_SERVICE], units.FLEET_SERVICE, units.FLEET_WANTED_BY)


def _install_units(
    env: Environment, state: Path, cancel: CancelToken, texts: dict[Path, str], starts: str = units.TIMER
) -> None:
    """Write units, and enable and start one of them."""
    places = env.places
    before = {path: _content(path) for path in texts}
    for path in texts:
        _refuse_foreign(path, state)
    timer = places.units / starts
    is_changed = any(before[path] != text.encode() for path, text in texts.items())
    try:
        for path, text in texts.items():
            if before[path] != text.encode():
                write_file(path, text.encode(), _MODE)
        _systemctl(env, cancel, "daemon-reload")
        _systemctl(env, cancel, "enable", "--now", starts)
        if is_changed and before[timer] is not None:
            _systemctl(env, cancel, "restart", starts)
    except CertdeckError:
        with suppress(CertdeckError):
            if before[timer] is None:
                _systemctl(env, None, "disable", "--now", starts)
        for path, content in before.items():
            with suppress(CertdeckError):
                remove_file(path) if content is None else write_file(path, content, _MODE)
        with suppress(CertdeckError):
            _systemctl(env, None, "daemon-reload")
        raise


def _uninstall_units(env: Environment, state: Path, cancel: CancelToken) -> bool:
    return _remove_units(env, state, cancel, [units.TIMER, units.SERVICE], units.TIMER, units.WANTED_BY)


def _remove_units(
    env: Environment, state: Path, cancel: CancelToken, names: Sequence[str], started: str, link: Path
) -> bool:
    places = env.places
    ours = [path for name in names if _is_ours(path := places.units / name, state)]
    if not ours:
        return False
    runs = places.systemd.is_dir()
    if runs and places.units / started in ours:
        _systemctl(env, cancel, "disable", "--now", started)
    if places.units / started in ours:
        remove_file(places.units / link)
    for path in ours:
        remove_file(path)
    if runs:
        _systemctl(env, None, "daemon-reload")
    return True


def _systemctl(env: Environment, cancel: CancelToken | None, *words: str) -> None:
    done = env.runner.run(["systemctl", *words], timeout=_SYSTEMCTL_SECONDS, cancel=cancel)
    if done.returncode == 0 and not done.timed_out:
        return
    said = done.output.strip().splitlines()
    why = (
        "It took longer than a minute."
        if done.timed_out
        else said[0]
        if said
        else f"It exited with status {done.returncode}."
    )
    raise CertdeckError(
        f"`systemctl {' '.join(words)}` failed.",
        why,
        "Fix the cause, then run the command again; the schedule is unchanged.",
        details={"output": done.output},
    )


# -- ownership of files ------------------------------------------------------------------------------------------------


def _content(path: Path) -> bytes | None:
    with storing(path, "read"), suppress(FileNotFoundError):
        return path.read_bytes()
    return None


def _is_ours(path: Path, state: Path) -> bool:
    content = _content(path)
    return content is not None and units.owner_of(content.decode("utf-8", "replace")) == state


def _refuse_foreign(path: Path, state: Path) -> None:
    """Raise CertdeckError (`failed`) if a file belongs to another program or another installation."""
    content = _content(path)
    if content is None and not path.is_symlink():
        return
    owner = units.owner_of((content or b"").decode("utf-8", "replace"))
    if owner is None:
        raise CertdeckError(
            f"{path} already exists.",
            "certdeck did not write it, or it is masked.",
            f"Check it, and remove it if it is not needed: rm {path}",
        )
    if owner != state and owner.is_dir():
        raise CertdeckError(
            f"The timer of this box renews other certificates: those in {owner}.",
            "A box has only one certdeck timer.",
            "First switch that timer off: run `certdeck schedule off` with the CERTDECK_HOME of that folder.",
        )
