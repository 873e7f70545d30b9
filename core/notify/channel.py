"""What a notification channel is: a table of fields, and something that sends one message.

The table feeds the command line, the help and the checks. A channel loads its library when it sends and not before: most runs have
nothing to tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from msgspec import Struct

from core.concealed import Concealed
from core.errors import NotifyError
from core.fields import EntryField, EntryKind
from core.notify import quiet
from core.ports import CancelToken, Environment

QUIET = EntryField(
    key="quiet",
    label="Quiet period",
    required=False,
    help="Start and end in local time, such as 22:00-07:00. Messages that are not urgent wait for the next run afterwards.",
    check=quiet.problem,
)


class Item(Struct, frozen=True, kw_only=True):
    """One thing that people are told. Its texts may hold data from outside."""

    events: tuple[str, ...]
    """The event, the most telling first; a channel tells it when it wants any of them."""
    what: str
    why: str = ""
    fix: str = ""
    certificate: str | None = None
    target: str | None = None
    next_try: datetime | None = None
    not_after: datetime | None = None
    urgent: bool = False
    """Sent in a quiet period, too."""

    @property
    def event(self) -> str:
        return self.events[0]


class Message(Struct, frozen=True, kw_only=True):
    """Everything that one channel is told at the end of a run."""

    subject: str
    """One printable line."""
    text: str
    """Plain text for people, lines ended with a line feed."""
    values: Mapping[str, object]
    """The same for programs: JSON-serialisable."""


class Access(Concealed, Struct, frozen=True, kw_only=True):
    """What a channel works with: one entry of the configuration, its secrets opened, and the ports."""

    name: str
    settings: Mapping[str, str]
    """Every declared setting that has a value or a default."""
    secrets: Mapping[str, str]
    host: str
    """The name of this box."""
    env: Environment
    cancel: CancelToken


Send = Callable[[Access, Message], str]
"""Sends a message and returns what the server answered. Raises NotifyError (`notify-failed`), ConfigError, Cancelled."""


class ChannelKind(EntryKind, frozen=True, kw_only=True):
    """One way to tell people, as a table."""

    send: Send


def notify_error(access: Access, reason: str, what: str, why: str, fix: str) -> NotifyError:
    """Return the error of a channel.

    Args:
        reason: a stable word for scripts: `credentials`, `unreachable`, `untrusted`, `timeout`, `refused`, `temporary`, `missing`.
    """
    return NotifyError(what, why, fix, details={"notification": access.name, "reason": reason})
