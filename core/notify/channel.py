"""The interface of a notification channel: a table of fields, and a function that sends one message.

The table feeds the command line, the help and the checks. A channel loads its library only when it sends: most runs have nothing
to report.
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
    """One thing to report. Its texts may contain foreign data."""

    events: tuple[str, ...]
    """The events, the most important first; a channel reports the item if it subscribes to any of them."""
    what: str
    why: str = ""
    fix: str = ""
    certificate: str | None = None
    target: str | None = None
    next_try: datetime | None = None
    not_after: datetime | None = None
    urgent: bool = False
    """Also sent in a quiet period."""

    @property
    def event(self) -> str:
        return self.events[0]


class Message(Struct, frozen=True, kw_only=True):
    """Everything that one channel reports at the end of a run."""

    subject: str
    """One printable line."""
    text: str
    """Plain text for people; lines end with a line feed."""
    values: Mapping[str, object]
    """The same for programs: JSON-serializable."""


class Access(Concealed, Struct, frozen=True, kw_only=True):
    """The context of a channel: one entry of the configuration, its decrypted secrets, and the ports."""

    name: str
    settings: Mapping[str, str]
    """Every declared setting that has a value or a default."""
    secrets: Mapping[str, str]
    host: str
    """The name of this box."""
    env: Environment
    cancel: CancelToken


Send = Callable[[Access, Message], str]
"""Sends a message and returns the server's reply. Raises NotifyError (`notify-failed`), ConfigError, Cancelled."""


class ChannelKind(EntryKind, frozen=True, kw_only=True):
    """One kind of notification channel, as a table."""

    send: Send


def notify_error(access: Access, reason: str, what: str, why: str, fix: str) -> NotifyError:
    """Return an error of a channel.

    Args:
        reason: a stable word for scripts: `credentials`, `unreachable`, `untrusted`, `timeout`, `refused`, `temporary`, `missing`.
    """
    return NotifyError(what, why, fix, details={"notification": access.name, "reason": reason})
