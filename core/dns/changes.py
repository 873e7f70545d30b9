"""The changes needed at each name, and how to make them last while another client writes at the same name.

Some APIs write only all values of a name at once and have no condition ("only if unchanged"), so two clients that read the same
values can overwrite each other. The result of a write is therefore read back at once, and a second time after a pause if other
clients have values there: by then, a client that had read before our write has written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from msgspec import Struct

from core.dns.api import StaleRead
from core.dns.provider import Access, TxtRecord, provider_error
from core.errors import DnsProviderError

Seen = TypeVar("Seen")

ATTEMPTS = 5
SETTLE_SECONDS = 2.5
"""Longer than another client takes from reading a record set to writing it."""
PAUSE_SECONDS = (0.2, 1.0)
"""Before a retry; random, so that two clients do not stay in step."""


class NameChange(Struct, frozen=True, kw_only=True):
    """The values to add at a name, and those to remove."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()

    def missing(self, values: Iterable[str]) -> tuple[str, ...]:
        """Return the values that are still missing from `values`."""
        there = set(values)
        return tuple(value for value in self.add if value not in there)

    def surplus(self, values: Iterable[str]) -> tuple[str, ...]:
        """Return those of `values` that still have to be removed."""
        there = set(values)
        return tuple(value for value in self.remove if value in there)

    def is_done(self, values: Iterable[str]) -> bool:
        there = set(values)
        return not self.missing(there) and not self.surplus(there)

    def is_alone(self, values: Iterable[str]) -> bool:
        """Return whether no other client has a value here."""
        return set(values) <= {*self.add, *self.remove}


def by_name(add: Sequence[TxtRecord], remove: Sequence[TxtRecord]) -> dict[str, NameChange]:
    """Return the changes at each name; a value that is both added and removed is added."""
    names = dict.fromkeys(record.name for record in (*add, *remove))
    changes = {}
    for name in names:
        wanted = tuple(dict.fromkeys(record.value for record in add if record.name == name))
        unwanted = dict.fromkeys(record.value for record in remove if record.name == name)
        changes[name] = NameChange(add=wanted, remove=tuple(value for value in unwanted if value not in wanted))
    return changes


def converge(
    access: Access,
    title: str,
    changes: Mapping[str, NameChange],
    read: Callable[[], Seen],
    values: Callable[[Seen, str], Collection[str]],
    write: Callable[[Seen, Mapping[str, NameChange]], None],
) -> None:
    """Read, write what is missing, and read back until the result is stable.

    Args:
        read: returns the current state.
        values: returns the plain values of a name in what was read.
        write: writes the remaining changes at each name, given what was read; after a StaleRead it is read again.

    Raises:
        DnsProviderError: other clients keep undoing the changes (`reason`: `conflict`); what `read` and `write` raise.
        Cancelled.
    """

    def left_in(seen: Seen) -> dict[str, NameChange]:
        return {name: change for name, change in changes.items() if not change.is_done(values(seen, name))}

    clock, cancel = access.env.clock, access.cancel
    is_alone = True
    failure: DnsProviderError | None = None
    for attempt in range(ATTEMPTS):
        if attempt:
            clock.sleep(access.env.random.uniform(*PAUSE_SECONDS), cancel)
        for look in range(3):
            if look == 2:
                clock.sleep(SETTLE_SECONDS, cancel)
            cancel.check()
            seen = read()
            left = left_in(seen)
            is_alone = is_alone and all(change.is_alone(values(seen, name)) for name, change in changes.items())
            if look == 0 and left:
                failure = contested(access, title, next(iter(left)))
                try:
                    write(seen, left)
                except StaleRead as stale:
                    failure = stale.error
                    break
            elif left:
                break
            elif look == 2 or is_alone or (look == 0 and not attempt):
                return
    assert failure is not None, "only a write is tried again"
    raise failure


def contested(access: Access, title: str, name: str) -> DnsProviderError:
    """Return the error for a name that another client keeps changing."""
    return provider_error(
        access,
        "conflict",
        f"The TXT records of {name} were changed after certdeck wrote them.",
        f"Another program changed them at {title} at the same time, {ATTEMPTS} times in a row.",
        "Wait until the other program has finished, or stop it. Then try again.",
    )
