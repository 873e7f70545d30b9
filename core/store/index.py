"""The state of every lineage at the price of three `stat` calls each.

`status` and a scheduled run with nothing due look at thousands of lineages, so nothing is parsed twice: `state/index.json` keeps
the facts of each beside the signature (inode and change time) of its settings, its live certificate and its folder. What has
another signature is read again. The index is derived: it may be removed, readers write it without the lock and without flushing,
the last writer wins, and a failure to write it only costs time.

Change times have a granularity. A thing that changed just before it was read may change again without another time, so what is
that fresh is read again the next time (the file system's own clock decides, by way of the index's temporary file).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from msgspec import MsgspecError, Raw, Struct, ValidationError, field
from msgspec.json import decode, encode

from core.errors import CertdeckError, NotFound
from core.paths import Paths
from core.regular import read_stored
from core.store import windows
from core.store.checksum import is_intact, with_checksum
from core.store.windows import NEVER_ASKED, Window

if TYPE_CHECKING:
    from core.config.model import LineageConfig

FORMAT = 6
"""Raise when `Facts` changes: an index of another format is ignored."""
_FRESH_NANOSECONDS = 2_000_000_000
"""Coarsest change time of a file system that we know of (FAT: 2 s)."""
_FINE_FRESH_NANOSECONDS = 50_000_000
"""For change times with a fraction of a second in them: the kernel's clock for files ticks every 10 ms at the slowest."""


class Facts(NamedTuple):
    """What is known of a lineage. Times are seconds since 1970, UTC. Sequences may be lists."""

    name: str
    # its settings, completed by what it was had with; None: the default of the configuration applies
    domains: Sequence[str]
    issuer: str | None
    challenge: str | None
    dns: str | None
    key_type: str | None
    profile: str | None
    preferred_chain: str | None
    targets: Sequence[str]
    auto_renew: bool | None
    renew_days_before: int | None
    # its live certificate; without one `sha256` is empty and `version` None
    version: int | None
    waiting_version: int | None
    newer_version: int | None
    """The newest one that was rolled back from: newer than the live one, not waiting, its key kept."""
    subject: str
    issued_by: str
    names: Sequence[str]
    serial: str
    not_before: float
    not_after: float
    sha256: str
    cert_key_type: str
    self_signed: bool
    chain_length: int
    renewal_id: str | None
    ca: str | None
    method: str
    directory: str | None
    cert_profile: str | None
    chain_not_after: float
    """The earliest end among the certificates that are sent: leaf and intermediates."""
    chain_end: str
    """Subject of the intermediate that ends before the leaf; empty where none does."""
    root_sent: bool
    may_be_asked: bool
    """Its CA can be asked whether it is revoked, or that is not known yet."""
    wanted: Mapping[str, object]
    """Settings that are not those it was ordered with (`core.store.had_with.differences`)."""
    is_wanted: bool
    """`wanted` is to be ordered: somebody changed the settings, and it is not that an older version was brought back."""
    waiting: Mapping[str, object] | None
    """Of the waiting version: `issuer`, and `targets` that it is meant for, and when it was `created`."""
    # what the timer remembers
    failures: int
    last_error: Mapping[str, object] | None
    last_attempt: float | None
    next_attempt: float | None
    ari_id: str | None
    ari_start: float | None
    ari_end: float | None
    ari_chosen: float | None
    ari_check_at: float | None
    chain_retry_at: float | None
    revoked: bool
    on_fallback: bool
    target_outcomes: Mapping[str, Mapping[str, object]]
    open_order: bool


_ARI = slice(Facts._fields.index("ari_id"), Facts._fields.index("ari_check_at") + 1)
"""Filled in each time, as whether an order is open: the rows of the index have neither."""


_Row = TypeVar("_Row")
"""`Facts`, or `Raw` where a row is decoded only when it is wanted: nearly all of the time goes there."""


class _Entry(Struct, Generic[_Row], array_like=True):
    """What the index holds of a lineage."""

    signature: tuple[int, ...]
    row: _Row


class _Format(Struct):
    format: int


class _Index(_Format, Generic[_Row]):
    at: int = 0
    """When it was looked at, in nanoseconds of the file system's own clock."""
    lineages: dict[str, _Entry[_Row]] = field(default_factory=dict)


class Look(NamedTuple):
    """What the files look like from outside: a lineage with the same signature as before has not changed."""

    signatures: Mapping[str, tuple[int, ...]]
    orders: Set[str]
    """The lineages with an open order."""


class Found(NamedTuple):
    """What is known of the lineages that were asked about."""

    facts: list[Facts]
    """By name."""
    problems: list[CertdeckError]
    """The error of each lineage that cannot be read."""
    settled: Set[str]
    """The lineages whose facts are sure to be those of their signature: what changes now gets another one."""


def with_window(facts: Facts, window: Window) -> Facts:
    """Return the facts with what the CA has just said about when it wants the renewal."""
    row: list[Any] = list(facts)
    row[_ARI] = window
    return Facts._make(row)


def facts_of_all(paths: Paths) -> tuple[list[Facts], list[CertdeckError]]:
    """Return the facts of all lineages by name, and the error of each that cannot be read: the others are still there.

    Reads without the lock. Raises StoreError only when the folder of the lineages itself cannot be read.
    """
    seen = look(paths)
    found = _facts_of(paths, seen, sorted(seen.signatures), _Index[Facts], lambda row: row)
    return found.facts, found.problems


def facts_of_some(paths: Paths, seen: Look, names: Sequence[str]) -> Found:
    """Return the facts of some of the lineages of a look; `names` in order. Costs little where these are few of many."""
    return _facts_of(paths, seen, names, _Index[Raw], _decoded) if names else Found([], [], frozenset())


def look(paths: Paths) -> Look:
    """Look at every lineage. Raises StoreError when the folder of the lineages cannot be read."""
    return Look(_signatures(paths), _open_orders(paths))


def _decoded(row: Raw) -> Facts:
    return decode(row, type=Facts)


def _facts_of(
    paths: Paths, seen: Look, names: Sequence[str], kind: type[_Index[_Row]], facts_in: Callable[[_Row], Facts]
) -> Found:
    kept, at, is_ours = _load(paths, kind)
    asked = windows.load(paths)
    signatures, orders = seen
    found: list[Facts] = []
    changed: list[str] = []
    for name in names:
        entry = kept.get(name)
        signature = signatures[name]
        if entry is None or entry.signature != signature or _is_fresh(signature, at):
            changed.append(name)
            continue
        facts = facts_in(entry.row)
        found.append(_completed(facts, orders, asked) if name in orders or name in asked else facts)
    settled = frozenset(names).difference(changed)
    if not changed and len(kept) <= len(signatures):
        return Found(found, [], settled)
    read, problems = _read_again(paths, changed, seen, kept, keeps=is_ours)
    if read:
        found = sorted([*found, *(_completed(facts, orders, asked) for facts in read)], key=lambda facts: facts.name)
    return Found(found, problems, settled)


def _completed(facts: Facts, orders: Set[str], asked: Mapping[str, Window]) -> Facts:
    row: list[Any] = list(facts)
    row[_ARI] = asked.get(facts.name, NEVER_ASKED)
    row[-1] = facts.name in orders
    return Facts._make(row)


def facts_of(paths: Paths, name: str, settings: LineageConfig | None = None) -> Facts:
    """Return the facts of one lineage, read from its files. `settings`: used instead of those on disk.

    Raises NotFound (`not-found`), ConfigError (`config-invalid`), StoreCorrupt (`store-corrupt`), StoreError.
    """
    from core.store.index_row import read_row

    facts = Facts._make(read_row(paths, name, settings=settings))
    orders = {name} if os.path.exists(paths.orders / name / "order.json") else frozenset()
    return _completed(facts, orders, windows.load(paths))


def facts_without_live(paths: Paths, name: str) -> Facts:
    """Return the facts of a lineage whose live version cannot be read, as if none were live.

    Raises NotFound, ConfigError, StoreError; StoreCorrupt where `live/NAME` is no link of ours, so that nothing is known of it.
    """
    from core.store.index_row import read_row

    return Facts._make(read_row(paths, name, without_live=True))


def stamp(paths: Paths) -> int:
    """Return a number that changes when certdeck changes something, or somebody adds, replaces or removes a file.

    A few `stat` calls: every writer of ours leaves its trace in the lock. A file of one lineage written in place is not seen.
    """
    stamps: list[int] = []
    for path in (
        paths.config,
        paths.certificates,
        paths.live,
        paths.lineages,
        paths.orders,
        paths.transactions,
        paths.accounts,
        paths.last_run,
        paths.windows,
        paths.lock,
        paths.history,
        paths.history.with_name(paths.history.name + "-wal"),
    ):
        with suppress(OSError):
            found = path.stat()
            stamps += (found.st_ino, found.st_ctime_ns, found.st_size)
        stamps.append(0)
    for name in sorted(_open_orders(paths)):
        with suppress(OSError):
            stamps.append((paths.orders / name / "order.json").stat().st_ctime_ns)
    return hash(tuple(stamps))


def generation(paths: Paths) -> str:
    """Return a stamp that changes whenever something changed that the console shows. Only `stat` calls, no lock."""
    stamps = [stamp(paths)]
    with suppress(CertdeckError):
        for _, signature in sorted(_signatures(paths).items()):
            stamps += signature
    return f"{hash(tuple(stamps)) & 0xFFFFFFFFFFFFFFFF:016x}"


def _signatures(paths: Paths) -> dict[str, tuple[int, ...]]:
    """Return inode and change time of each lineage's settings, live certificate and folder; zeros for what is not there."""
    found: dict[str, tuple[int, ...]] = {}
    try:
        with _Folder(paths.certificates) as settings, _Folder(paths.live) as live, _Folder(paths.lineages) as homes:
            if settings is None:
                return found
            stat = os.stat
            with os.scandir(settings) as entries:
                for entry in entries:
                    file = entry.name
                    if not file.endswith(".toml") or file[0] == ".":
                        continue
                    name = file[:-5]
                    three = four = five = 0
                    try:
                        seen = entry.stat()
                        one, two = seen.st_ino, seen.st_ctime_ns
                    except FileNotFoundError:
                        continue  # deleted since
                    if live is not None:
                        try:
                            seen = stat(name + "/cert.pem", dir_fd=live)
                            three, four = seen.st_ino, seen.st_ctime_ns
                        except OSError:
                            pass
                    if homes is not None:
                        try:  # noqa: SIM105 - a thousand times over, `suppress` costs more than the call
                            five = stat(name, dir_fd=homes).st_ctime_ns
                        except OSError:
                            pass
                    found[name] = (one, two, three, four, five)
    except OSError as exc:
        from core.store.atomic import store_error

        raise store_error(exc, Path(exc.filename or paths.certificates), "read") from exc
    return found


class _Folder:
    """An open folder to look names up in, or None when it is not there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def __enter__(self) -> int | None:
        with suppress(FileNotFoundError):
            self._handle = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return self._handle

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            os.close(self._handle)


def _open_orders(paths: Paths) -> frozenset[str]:
    try:
        found = os.listdir(paths.orders)
    except OSError:
        return frozenset()
    return frozenset(name for name in found if name[0] != "." and (paths.orders / name / "order.json").exists())


def _is_fresh(signature: tuple[int, ...], at: int) -> bool:
    if max(signature[1], signature[3], signature[4]) <= at - _FRESH_NANOSECONDS:
        return False
    for time in (signature[1], signature[3], signature[4]):
        margin = _FINE_FRESH_NANOSECONDS if time % 1_000_000_000 else _FRESH_NANOSECONDS
        if -_FRESH_NANOSECONDS < at - time < margin:
            return True
    return False


def _load(paths: Paths, kind: type[_Index[_Row]]) -> tuple[dict[str, _Entry[_Row]], int, bool]:
    """Return the entries, when they were looked at, and whether the file may be replaced: not that of a later release."""
    try:
        data = read_stored(paths.index)
        if is_intact(data):
            with suppress(ValidationError):  # another format, perhaps
                index = decode(data, type=kind)
                if index.format == FORMAT:
                    return index.lineages, index.at, True
            return {}, 0, not decode(data, type=_Format).format > FORMAT
    except (OSError, MsgspecError, RecursionError):
        pass
    return {}, 0, True


def check_index(paths: Paths) -> None:
    """Raise StoreTooNew (`store-too-new`) for an index of a later release: it cannot be used here, and is not replaced."""
    if not _load(paths, _Index[Raw])[2]:
        from core.store.records import check_format

        check_format(decode(read_stored(paths.index))["format"], paths.index, FORMAT)


def _read_again(
    paths: Paths, changed: list[str], seen: Look, kept: Mapping[str, _Entry[Any]], *, keeps: bool
) -> tuple[list[Facts], list[CertdeckError]]:
    from core.store.atomic import TemporaryFile
    from core.store.index_row import read_row

    found: list[Facts] = []
    problems: list[CertdeckError] = []
    with TemporaryFile(paths.index) as file:  # made before anything is read: its time says what was fresh then
        entries = {name: entry for name, entry in kept.items() if name in seen.signatures}
        for name in changed:
            entries.pop(name, None)
            try:
                row = Facts._make(read_row(paths, name))
            except NotFound:
                continue  # deleted since
            except CertdeckError as exc:
                exc.lineage = exc.lineage or name
                problems.append(exc)
                continue
            found.append(row)
            with suppress(UnicodeEncodeError, MsgspecError):  # JSON cannot hold it: it is read again each time
                text = encode(row)
                decode(text, type=Facts)
                entries[name] = _Entry(seen.signatures[name], Raw(text))
        if keeps and (found or len(entries) != len(kept)):
            file.keep(with_checksum({"format": FORMAT, "at": file.changed_at, "lineages": entries}))
    return found, problems
