"""Checks of this box: its clock, folders, disk, vault, backup, trust store and timer."""

from __future__ import annotations

from collections.abc import Iterator

from core.dates import day_shown, minute_shown, period_in_words
from core.errors import CertdeckError
from core.lineage_status import TimerState
from core.operations import Finding
from core.version import BUILT
from core.web_address import is_address, split_address
from core.workflows.context import Context
from core.workflows.doctoring.running import failed

LEAST_FREE_BYTES = 16 * 1024 * 1024


def own_names(context: Context) -> tuple[str, ...]:
    """Return the public names of this box: its host name, and the name in its external URL."""
    box = context.config.appliance
    external = split_address(box.external_url) if box.external_url else None
    names = (box.hostname or context.env.host.name(), external.hostname if external else None)
    return tuple(dict.fromkeys(name for name in names if name and "." in name and not is_address(name)))


def clock(context: Context) -> Iterator[Finding]:
    """Compare the clock with the build date and other known times."""
    from core.store.index import facts_of_all
    from core.workflows.clock import FIX, doubt
    from core.workflows.renewing.due import void_of

    now = context.env.clock.now()
    if now < BUILT:
        yield Finding(
            id="clock",
            status="fail",
            title="Clock",
            detail=f"shows {day_shown(now)}, which is before this release was built",
            fix="Set the date, or turn time synchronization on.",
        )
        return
    why = doubt(context)
    if why is not None:
        yield Finding(id="clock", status="fail", title="Clock", detail=f"is in doubt: {why}", fix=FIX)
    else:
        yield Finding(id="clock", status="pass", title="Clock", detail=minute_shown(now))
    for facts in facts_of_all(context.paths)[0]:
        void = void_of(facts, now.timestamp())
        if void:
            yield Finding(
                id="stored-time",
                status="warn",
                title=facts.name,
                detail=f"values stored under a wrong clock are ignored: {', '.join(void)}",
                fix="The next run removes them: certdeck --renew",
            )


def disk(context: Context) -> Iterator[Finding]:
    """Check the free space for state and logs."""
    import shutil

    state = context.paths.state
    free = shutil.disk_usage(next(folder for folder in (state, *state.parents) if folder.is_dir())).free
    if free < LEAST_FREE_BYTES:
        yield Finding(
            id="disk",
            status="fail",
            title="Disk",
            detail=f"only {free // 1024} KiB free where certificates are stored",
            fix="Free some space: an order that cannot be stored is lost.",
        )
    else:
        yield Finding(id="disk", status="pass", title="Disk", detail=f"{_sized(free)} free")


def vault(context: Context) -> Iterator[Finding]:
    context.vault.check()
    yield Finding(id="vault", status="pass", title="Vault", detail="opens with the master key of this box")


def backup(context: Context) -> Iterator[Finding]:
    """Yield whether the master key has a backup, and its date."""
    from core.store import backup_record

    if backup_record.is_missing(context.paths):
        yield Finding(
            id="backup",
            status="warn",
            title="Backup",
            detail="the master key has no backup: without it, account keys, passwords and old private keys are lost",
            fix="Run `certdeck backup --out FILE`. If the whole box is backed up by other means, run `certdeck "
            "backup --elsewhere`.",
        )
        return
    record = backup_record.load(context.paths)
    detail = "nothing to back up yet" if record is None else f"the last backup is from {day_shown(record.at)}"
    yield Finding(id="backup", status="pass", title="Backup", detail=detail)


def folders(context: Context) -> Iterator[Finding]:
    """Check that certdeck's own folders are writable: a read-only one would be noticed only at the next renewal."""
    from core.store.atomic import check_writable

    paths = context.paths
    for folder in (paths.certificates, paths.etc, paths.state, paths.live, paths.lineages, paths.lock.parent):
        try:
            check_writable(folder)
        except CertdeckError as exc:
            yield failed("folders", "Folders", exc)
            return
    yield Finding(id="folders", status="pass", title="Folders", detail="settings, state and lock are writable")


def trust_store(context: Context) -> Iterator[Finding]:
    """Check that the system has root certificates."""
    where = context.env.host.trusted_roots()
    if where is not None:
        yield Finding(id="trust-store", status="pass", title="Trust store", detail=f"the system's roots are in {where}")
        return
    yield Finding(
        id="trust-store",
        status="warn",
        title="Trust store",
        detail="this box has no trusted CA certificates",
        why="certdeck uses its bundled roots, but other programs on this box cannot verify any server.",
        fix="Install the package ca-certificates.",
    )


def _following(state: TimerState) -> str:
    return (
        "" if state.next_run is None else f"; the next run is on {period_in_words(state.next_run, state.next_run_by)}"
    )


def timer(context: Context) -> Iterator[Finding]:
    """Check that a timer starts the scheduled run."""
    from core.workflows.settings.schedule import schedule

    state = schedule(context).timer
    if state.word == "active":
        following = _following(state)
        yield Finding(id="timer", status="pass", title="Timer", detail=f"certificates renew automatically{following}")
        return
    words = {"absent": "no timer was set", "off": "the timer is switched off", "failed": "the timer is not running"}
    yield Finding(
        id="timer",
        status="warn",
        title="Timer",
        detail=words[state.word],
        why=state.trouble or "Nothing renews automatically.",
        fix="certdeck schedule on",
    )


def _sized(count: int) -> str:
    """Return `812 MiB`, from ten thousand on `72 GiB`."""
    mib = count // (1024 * 1024)
    return f"{mib} MiB" if mib < 10_000 else f"{mib // 1024} GiB"
