"""What has to happen at each name, and how to make it stand where another writer may be at the same name.

Some interfaces only write all values of a name at once and know no condition ("only if nobody changed it"), so two writers
that read the same can overwrite each other. What is written is therefore looked at again, at once, and once more after a
while if there were values of somebody else: by then whoever had read before our write has written.
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
"""Longer than another writer takes from reading a set to writing it."""
PAUSE_SECONDS = (0.2, 1.0)
"""Before trying again; random, so that two writers do not stay in step."""


class NameChange(Struct, frozen=True, kw_only=True):
    """The values that are to be at a name, and those that are not."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()

    def missing(self, values: Iterable[str]) -> tuple[str, ...]:
        """Return the values that still have to be added to these."""
        there = set(values)
        return tuple(value for value in self.add if value not in there)

    def surplus(self, values: Iterable[str]) -> tuple[str, ...]:
        """Return the values that still have to be removed from these."""
        there = set(values)
        return tuple(value for value in self.remove if value in there)

    def is_done(self, values: Iterable[str]) -> bool:
        there = set(values)
        return not self.missing(there) and not self.surplus(there)

    def is_alone(self, values: Iterable[str]) -> bool:
        """Tell whether nobody else has a value here."""
        return set(values) <= {*self.add, *self.remove}


def by_name(add: Sequence[TxtRecord], remove: Sequence[TxtRecord]) -> dict[str, NameChange]:
    """Return what is to change at each name; what is to be added and removed is to be added."""
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
    """Read, write what is left to do, and look until it stands.

    Args:
        read: what there is now.
        values: of a name in what was read, plain.
        write: what is left to do at each name, given what was read; StaleRead is as good as done, it is looked again.

    Raises DnsProviderError (`reason`: `conflict`) when others keep undoing it; Cancelled.
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
    """Return the error for a name at which somebody else writes all the time."""
    return provider_error(
        access,
        "conflict",
        f"The TXT records of {name} were changed after certdeck wrote them.",
        f"Another program changed them at {title} at the same time, {ATTEMPTS} times in a row.",
        "Wait until the other program has finished, or stop it. Then try again.",
    )
