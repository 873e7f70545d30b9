"""Propagation of records: queries all name servers of the zone until every one has the record or the time is over.

A challenge is answered only then, because a failed one cannot be retried. A server that is unreachable from this box (IPv6
without an IPv6 route) does not count. A server that does not respond while others do is left out after a few attempts, with a
warning.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence

from msgspec import Struct
from msgspec.structs import replace

from core.concurrently import map_concurrently
from core.dns.authority import Authority, NameServer
from core.dns.names import plain_name
from core.errors import PropagationTimeout
from core.events import Narrator, PropagationChecked, Warned
from core.operations import Record, RecordView, ServerView
from core.ports import CancelToken, Clock, Resolver

ASK_SECONDS = 3.0
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
SHARE_OF_WAIT = 0.3
"""Each pause is this share of the time already waited."""
PATIENCE_WITH_SILENCE = 3
"""Attempts after which a silent server is left out."""
SILENCES_IN_A_LOOK = 2
"""Queries after which a silent server gets no more queries in the same attempt: each one costs ASK_SECONDS."""
AT_ONCE = 16
_STATES = {"SILENT": "silent", "UNREACHABLE": "unreachable"}


class Wanted(Struct, frozen=True):
    """A record that has to become visible."""

    record: Record
    written_at: str
    """The name it is written at: the record's own name, or its CNAME target."""
    accepts: Callable[[str], bool] | None = None
    """Returns whether a value that was found is acceptable; None: only the record's own value is."""

    def is_met_by(self, values: Collection[str]) -> bool:
        if self.accepts is None:
            return self.record.value in values
        return any(map(self.accepts, values))


class Propagation:
    """Checks the propagation of records. `resolvers`: queried instead of the zones' own name servers (split DNS)."""

    def __init__(self, resolver: Resolver, clock: Clock, resolvers: Sequence[str] = ()) -> None:
        self._resolver = resolver
        self._clock = clock
        self._resolvers = tuple(resolvers)

    def look(self, wanted: Sequence[Wanted], cancel: CancelToken) -> tuple[RecordView, ...]:
        """Query every server once for every record; takes a few seconds at most. Raises Cancelled."""
        return self._looked(wanted, self._planned(wanted, cancel), cancel)

    def wait(
        self, wanted: Sequence[Wanted], *, timeout_seconds: float, narrator: Narrator, cancel: CancelToken
    ) -> tuple[RecordView, ...]:
        """Query until all servers have all records, and return the last result.

        Raises:
            PropagationTimeout (`propagation-timeout`): not in time; `details["missing"]`: record → servers without it.
            Cancelled.
        """
        started = self._clock.monotonic()
        views = self._planned(wanted, cancel)
        silences: dict[str, int] = {}
        told: dict[str, tuple[int, int]] = {}
        while True:
            views = self._looked(wanted, views, cancel)
            _tell(views, told, narrator)
            left = timeout_seconds - (waited := self._clock.monotonic() - started)
            # A silent server gets more time, but not more than is left: all others have the records.
            if all(view.is_seen for view in views) and (not self._still_silent(views, silences) or left <= 0):
                for address in sorted(_quiet(views)):
                    narrator.tell(
                        Warned(
                            code="name-server-silent",
                            what=f"The name server {address} does not respond for its zone; the others have the records.",
                            fix="Fix that server, or remove it from the zone: a CA may query it.",
                        )
                    )
                return views
            if left <= 0:
                raise _too_late(views)
            if any(not view.servers for view in views):
                # No server is known yet: the delegation may be only just being set up.
                views = self._planned(wanted, cancel)
            pause = min(max(FIRST_PAUSE_SECONDS, waited * SHARE_OF_WAIT), LONGEST_PAUSE_SECONDS, left)
            self._clock.sleep(pause, cancel)

    def _still_silent(self, views: Sequence[RecordView], silences: dict[str, int]) -> bool:
        """Count the attempts in which a server did not respond; return whether one of them gets another attempt."""
        quiet = _quiet(views)
        for address in quiet:
            silences[address] = silences.get(address, 0) + 1
        return any(silences[address] < PATIENCE_WITH_SILENCE for address in quiet)

    def _planned(self, wanted: Sequence[Wanted], cancel: CancelToken) -> tuple[RecordView, ...]:
        """Determine the servers to query for each record."""
        if self._resolvers:
            servers = tuple(ServerView(server=one, address=one, state="lacks") for one in self._resolvers)
            return tuple(
                RecordView(record=one.record, written_at=one.written_at, zone="", servers=servers) for one in wanted
            )
        authority = Authority(self._resolver, cancel=cancel)
        found: dict[str, tuple[NameServer, ...]] = {}
        views = []
        for one in wanted:
            zone = authority.zone_of(one.written_at)
            if zone is None:
                problem = (
                    f"The zone of {one.written_at} could not be found: no resolver of this box responds for that name."
                )
                views.append(RecordView(record=one.record, written_at=one.written_at, zone="", problem=problem))
                continue
            if zone not in found:
                found[zone] = authority.servers_of(zone)
            problem = "" if found[zone] else f"The name servers of {zone} cannot be found."
            servers = tuple(ServerView(server=each.name, address=each.address, state="lacks") for each in found[zone])
            views.append(
                RecordView(record=one.record, written_at=one.written_at, zone=zone, servers=servers, problem=problem)
            )
        return tuple(views)

    def _looked(
        self, wanted: Sequence[Wanted], views: Sequence[RecordView], cancel: CancelToken
    ) -> tuple[RecordView, ...]:
        """Query, in parallel, every server that has not returned a record yet."""
        questions = sorted(
            {(view.written_at, one.address) for view in views for one in view.servers if one.state != "has"}
        )
        answers = dict(zip(questions, self._answers(questions, cancel), strict=True))
        seen = []
        for each, view in zip(wanted, views, strict=True):
            servers = tuple(_judged(one, each, answers.get((view.written_at, one.address))) for one in view.servers)
            seen.append(replace(view, servers=servers))
        return tuple(seen)

    def _answers(
        self, questions: Sequence[tuple[str, str]], cancel: CancelToken
    ) -> list[tuple[str, frozenset[str], int]]:
        silences: Counter[str] = Counter()

        def ask(question: tuple[str, str]) -> tuple[str, frozenset[str], int]:
            cancel.check()
            name, address = question
            if silences[address] >= SILENCES_IN_A_LOOK:
                return "SILENT", frozenset(), 0
            reply = self._resolver.ask(name, "TXT", server=address, timeout=ASK_SECONDS)
            silences[address] += reply.status == "SILENT"
            return reply.status, frozenset(reply.values("TXT")), reply.milliseconds

        return map_concurrently(ask, questions, at_once=AT_ONCE)


def wanted_at(record: Record, written_at: str | None = None) -> Wanted:
    """Return a record that has to become visible at its own name, or at `written_at`."""
    return Wanted(record, plain_name(written_at or record.name))


def _quiet(views: Sequence[RecordView]) -> set[str]:
    """Return the addresses that are reachable but did not give a usable response."""
    return {one.address for view in views for one in view.servers if one.state in ("silent", "refuses")}


def _judged(one: ServerView, wanted: Wanted, answer: tuple[str, frozenset[str], int] | None) -> ServerView:
    if answer is None:
        return one
    status, values, milliseconds = answer
    if status in _STATES:
        state = _STATES[status]
    elif status not in ("NOERROR", "NXDOMAIN"):
        state = "refuses"
    else:
        state = "has" if wanted.is_met_by(values) else "lacks"
    return replace(one, state=state, milliseconds=milliseconds)


def _tell(views: Sequence[RecordView], told: dict[str, tuple[int, int]], narrator: Narrator) -> None:
    """Report for each name how many servers have all its values, if the number has changed."""
    for name in dict.fromkeys(view.record.name for view in views):
        here = [view for view in views if view.record.name == name]
        answering = {_called(one) for view in here for one in view.servers if one.answers}
        missing = {_called(one) for view in here for one in view.servers if one.answers and one.state != "has"}
        count = (len(answering) - len(missing), len(answering))
        if told.get(name) != count:
            told[name] = count
            narrator.tell(PropagationChecked(name=name, seen=count[0], of=count[1], missing=tuple(sorted(missing))))


def _called(one: ServerView) -> str:
    return one.server if one.server == one.address else f"{one.server} ({one.address})"


def _too_late(views: Sequence[RecordView]) -> PropagationTimeout:
    missing = {
        view.record.name: [f"{_called(one)}: {one.state}" for one in view.servers if one.state != "has"]
        for view in views
        if not view.is_seen
    }
    late = next(view for view in views if not view.is_seen) if missing else views[0]
    if late.problem:
        why = late.problem
    else:
        silent = [one for one in late.servers if one.state in ("silent", "unreachable")]
        lacking = [one for one in late.servers if one.state in ("lacks", "refuses")]
        who = ", ".join(map(_called, lacking))
        why = f"These name servers did not return it within timeout_seconds: {who}." if lacking else ""
        why += f" {len(silent)} of {len(late.servers)} servers cannot be reached from here." if silent else ""
    others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    return PropagationTimeout(
        f"The TXT record {late.record.name}{others} is not visible in DNS yet.",
        why.strip(),
        "Check at the provider that the record is in the right zone. For a slow zone, increase timeout_seconds in "
        "[dns01]. If this box cannot query public name servers, set resolvers in [dns01].",
        details={"missing": missing},
    )
