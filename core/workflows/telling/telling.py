"""Sends the messages of a run to the notification channels, and the ping that shows that the run took place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from core.dns.provider_pool import DeadlineToken
from core.errors import CertdeckError, NotifyError
from core.events import KeyUsed, NotificationSent
from core.notify.catalogue import kind_named
from core.notify.message import compose
from core.store.vault import Vault
from core.workflows.settings.entries import NOTIFICATIONS
from core.workflows.settings.notifications import opened, unforeseen
from core.workflows.telling.side_by_side import SECONDS, all_done

if TYPE_CHECKING:
    from datetime import datetime

    from core.events import Event
    from core.notify.told import Decision
    from core.ports import CancelToken
    from core.workflows.context import View

_PING = "ping_url"
_PING_SECONDS = 10.0


def send_all(
    view: View,
    decisions: Mapping[str, Decision],
    ping: tuple[str, bool] | None,
    now: datetime,
    record: Callable[[Event], None],
) -> dict[str, str | CertdeckError]:
    """Send the messages concurrently. Returns the receiver's answer or the error, by channel (the ping as `ping_url`).

    Args:
        ping: the URL, and whether the run failed.
        record: writes an event to the log.
    """
    cancel = DeadlineToken(view.env.clock, SECONDS - 2)
    vault = Vault(view.paths, view.env)
    jobs: dict[str, Callable[[], str]] = {}
    results: dict[str, str | CertdeckError] = {}
    subjects = {}
    for name, decision in decisions.items():
        entry = view.config.notifications[name]
        try:
            access = opened(view, vault, entry, cancel)
        except CertdeckError as exc:
            results[name] = exc
            continue
        if access.secrets:
            record(KeyUsed(key=NOTIFICATIONS.secret_name(name, "*"), purpose=f"send the notification {name}"))
        message = compose(decision.items, access.host, view.config.appliance.name, now)
        subjects[name] = message.subject
        jobs[name] = partial(kind_named(entry.kind).send, access, message)
    if ping is not None:
        jobs[_PING] = partial(_pinged, view, cancel, *ping)
    results |= all_done(jobs, view.env.clock, unforeseen)
    for name, subject in subjects.items():
        if isinstance(results[name], str):
            record(NotificationSent(channel=name, subject=subject))
    return results


def _pinged(view: View, cancel: CancelToken, url: str, is_failed: bool) -> str:
    """Request the URL, with `/fail` appended to its path if the run failed. Raises NotifyError."""
    from core.ports import TransportFailure
    from core.version import VERSION

    parts = urlsplit(url)
    if is_failed:
        url = urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/fail"))
    transport = view.env.transport(None)
    headers = {"User-Agent": f"certdeck/{VERSION}"}
    try:
        answer = transport.request("GET", url, headers=headers, timeout=_PING_SECONDS, cancel=cancel)
    except TransportFailure as failure:
        raise _unpinged(parts.netloc, str(failure)) from failure
    finally:
        transport.close()
    if not 200 <= answer.status < 300:
        raise _unpinged(parts.netloc, f"It returned HTTP {answer.status}.")
    return f"HTTP {answer.status}"


def _unpinged(place: str, why: str) -> NotifyError:
    return NotifyError(
        f"{place} did not accept the ping of the scheduled run.",
        why,
        "Check `ping_url` in the section [schedule] of the configuration.",
        details={"notification": _PING, "reason": "unreachable"},
    )
