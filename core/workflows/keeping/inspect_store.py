"""Checks everything that is stored before it is needed: for the doctor, `self-check`, and once a day for `status --check`.

It opens every sealed record, compares every live key with its certificate, reads every state file, and verifies the log's chain.
It changes nothing, takes no lock and sends no request. Files that a running operation removes during the check are skipped.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from core.errors import CertdeckError, MasterKeyMissing, NotFound, StoreTooNew
from core.lineage_status import TimerState
from core.operations import Finding
from core.paths import Paths
from core.regular import read_stored
from core.store.atomic import store_error
from core.store.records import from_json, to_json, write_record
from core.workflows.context import Context
from core.workflows.detecting.detect import refresh
from core.workflows.renewing.timer import timer

_MOST_TOLD = 20
"""Most findings of one kind to show: a lost master key affects every record, and twenty lines are enough to see that."""
_EVERY = timedelta(hours=24)


class LastLook(Struct, frozen=True, kw_only=True):
    """Result of the daily check: `state/last-look.json`."""

    at: datetime
    found: tuple[tuple[str, ...], ...] = ()
    """(id, status, title, detail, fix) of each finding that did not pass."""
    timer: str = ""
    """State of the timer at the last check: `active`, `off`, `absent` or `failed`."""


def inspect_store(context: Context) -> tuple[Finding, ...]:
    """Check everything that is stored. Returns a finding for each problem, or one `pass` for each kind without problems."""
    looks: tuple[tuple[str, str, str, Callable[[Context], Iterator[Finding]]], ...] = (
        ("vault-records", "Vault", "every sealed record can be opened", _sealed),
        ("live-keys", "Keys", "every live key matches its certificate", _live),
        ("state-files", "State", "every state file can be read", _files),
        ("log-chain", "Log", "no entry was changed or removed", _log),
    )
    found: list[Finding] = []
    for id, title, good, look in looks:
        wrong = list(_guarded(context, look, id, title))
        found += wrong[:_MOST_TOLD] or [Finding(id=id, status="pass", title=title, detail=good)]
        if len(wrong) > _MOST_TOLD:
            more = f"and {len(wrong) - _MOST_TOLD:,} more"
            found.append(Finding(id=id, status=wrong[-1].status, title=title, detail=more))
    return tuple(found)


def daily_look(context: Context, timer_changed: Callable[[str, TimerState], None]) -> tuple[Finding, ...]:
    """Return the problems in the store. Checks at most once a day while there are none, and then also detects services.

    Args:
        timer_changed: called with the timer's earlier and current state if it changed since the last check.

    A user who cannot write the state, such as a monitoring account, gets the result of the last check.
    """
    now = context.env.clock.now()
    last = _last_look(context.paths)
    known = timer(context, now)
    if last is not None and last.timer != known.word and os.access(context.paths.state, os.W_OK):
        before, last = last.timer, replace(last, timer=known.word)
        with suppress(CertdeckError):
            write_record(context.paths.last_look, to_json(last), durable=False)
            if before:
                timer_changed(before, known)
    is_recent = last is not None and timedelta(0) <= now - last.at < _EVERY
    if last is not None and ((is_recent and not last.found) or not os.access(context.paths.state, os.W_OK)):
        return _findings(last)
    if not os.access(context.paths.state, os.W_OK):
        return ()
    wrong = tuple(finding for finding in inspect_store(context) if finding.status != "pass")
    kept = LastLook(at=now, found=tuple((f.id, f.status, f.title, f.detail, f.fix) for f in wrong), timer=known.word)
    with suppress(CertdeckError):  # then the next call checks again
        write_record(context.paths.last_look, to_json(kept), durable=False)
        refresh(context)
    return wrong


def _last_look(paths: Paths) -> LastLook | None:
    try:
        return from_json(LastLook, read_stored(paths.last_look), paths.last_look)
    except (OSError, ValueError, TypeError, CertdeckError):
        return None


def _findings(last: LastLook) -> tuple[Finding, ...]:
    rows = [row for row in last.found if len(row) == 5]
    return tuple(Finding(id=row[0], status=row[1], title=row[2], detail=row[3], fix=row[4]) for row in rows)


def _guarded(context: Context, look: Callable[[Context], Iterator[Finding]], id: str, title: str) -> Iterator[Finding]:
    try:
        yield from look(context)
    except CertdeckError as exc:
        yield _wrong(id, title, exc)
    except OSError as exc:
        yield _wrong(id, title, store_error(exc, context.paths.state, "read"))


def _wrong(id: str, title: str, exc: CertdeckError, status: str = "fail") -> Finding:
    return Finding(id=id, status=status, title=title, detail=f"{exc.what} {exc.why}", fix=exc.fix)


def _sealed(context: Context) -> Iterator[Finding]:
    from core.store.vault import sealed_files

    for name, path in sealed_files(context.paths):
        try:
            context.vault.unseal(name, read_stored(path))
        except FileNotFoundError:
            continue  # removed in the meantime
        except MasterKeyMissing:
            raise  # the same for all records
        except CertdeckError as exc:
            yield _wrong("vault-records", "Vault", exc, "warn" if isinstance(exc, StoreTooNew) else "fail")
        except OSError as exc:
            yield _wrong("vault-records", "Vault", store_error(exc, path, "read"))


def _live(context: Context) -> Iterator[Finding]:
    from core.config.load import lineage_names, load_lineage
    from core.store import lineages
    from core.x509.pair import files_problem

    for name in lineage_names(context.paths):
        with suppress(NotFound):  # deleted, or replaced and pruned, in the meantime
            try:
                version = lineages.live_version(context.paths, name)
                if version is None:
                    continue
                pair = lineages.read_pair(context.paths, name, version)
                problem = files_problem(pair.cert, pair.chain, pair.fullchain, pair.privkey)
                if problem:
                    detail = f"the live version {version} cannot be used. {problem}"
                    fix = f"Renew it: certdeck --renew {name} --force. If it was uploaded, import it again."
                    yield Finding(id="live-keys", status="fail", title=name, detail=detail, fix=fix)
                    continue
                had = lineages.read_version(context.paths, name, version).certificate.names
                missing = _missing(load_lineage(context.paths, name).domains, had)
                if missing:
                    detail = f"its settings name {', '.join(missing)}, which its certificate does not cover"
                    fix = f"Order it with these names (certdeck --renew {name} --force), or remove them from its file."
                    yield Finding(id="live-names", status="warn", title=name, detail=detail, fix=fix)
            except NotFound:
                raise
            except CertdeckError as exc:
                yield _wrong("live-keys", name, exc)


def _missing(wanted: tuple[str, ...], had: tuple[str, ...]) -> list[str]:
    """Return the names in the settings that the certificate does not contain, as A-labels."""
    from core.identifiers import parse_identifiers

    return [each.value for each in parse_identifiers(wanted) if each.value not in had]


def _files(context: Context) -> Iterator[Finding]:
    """Read each state file with the function that normally reads it."""
    from core.schedule.record import load as load_schedule
    from core.store import journal, lineages, renewal_state
    from core.store.accounts import SUFFIX, read_account
    from core.store.dns_records import kept_records, load_records
    from core.store.index import check_index
    from core.store.orders import list_orders, load_order
    from core.store.requests import find_request
    from core.workflows.renewing import last_run

    paths = context.paths
    reads: list[Callable[[], object]] = [
        partial(last_run.read, paths),
        partial(load_schedule, paths),
        partial(check_index, paths),
        lambda: from_json(LastLook, _text(paths), paths.last_look),
    ]
    reads += [partial(journal.read, paths, n) for n in journal.names(paths)]
    reads += [partial(load_order, paths, n) for n in list_orders(paths)]
    reads += [partial(load_records, paths, n) for n in kept_records(paths)]
    reads += [partial(find_request, paths, n) for n in _listed(paths.requests)]
    accounts = [name.removesuffix(SUFFIX) for name in _listed(paths.accounts) if name.endswith(SUFFIX)]
    reads += [partial(read_account, paths, n) for n in accounts]
    for name in lineages.names(paths):
        reads.append(partial(renewal_state.load, paths, name))
        reads += [partial(lineages.read_version, paths, name, v) for v in lineages.versions(paths, name)]
    for read in reads:
        try:
            read()
        except NotFound:
            continue  # removed in the meantime
        except ValueError:
            continue  # the result of the last check itself, which is about to be replaced
        except CertdeckError as exc:
            yield _wrong("state-files", "State", exc)
    for name in lineages.names(paths):
        warning = ""
        with suppress(CertdeckError):
            warning = renewal_state.load(paths, name).warning
        if warning:
            yield Finding(id="state-files", status="warn", title="State", detail=warning)


def _text(paths: Paths) -> bytes:
    try:
        return read_stored(paths.last_look)
    except FileNotFoundError as exc:
        raise ValueError("nothing has been checked yet") from exc
    except OSError as exc:
        raise store_error(exc, paths.last_look, "read") from exc


def _listed(folder: os.PathLike[str]) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except FileNotFoundError:
        return []


def _log(context: Context) -> Iterator[Finding]:
    from core.store.history import History

    history = History(context.paths)
    count, problem = history.verify()
    if problem is not None:
        fix = "See `certdeck log`. To keep the remaining entries and start a new log: certdeck log --new-chain"
        yield Finding(
            id="log-chain", status="warn", title="Log", detail=f"{problem} {count:,} entries are valid.", fix=fix
        )
