"""A webhook: posts one JSON object; with a signing key also its HMAC, so that the receiver can authenticate the sender.

Temporary failures (429, 5xx, a broken connection) are retried a few times; the receiver recognizes a repetition by its `id`.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from core.errors import NotifyError
from core.fields import CA_BUNDLE, EntryField, web_address_problem
from core.notify.channel import QUIET, Access, ChannelKind, Message, notify_error
from core.ports import TransportFailure
from core.text import safe_line

SIGNATURE = "X-Certdeck-Signature"
"""HMAC-SHA256 of the body with the signing key, in hexadecimal."""
PAUSES_SECONDS = (1.0, 4.0)
REQUEST_SECONDS = 8.0
_TEMPORARY = (408, 425, 429, 500, 502, 503, 504)


def send(access: Access, message: Message) -> str:
    """Post a message; return the receiver's response. See `core.notify.channel.Send`."""
    import hashlib
    import hmac
    import json

    from core.http import Backoff, first_words, retry_after
    from core.version import VERSION

    url = access.settings["url"]
    place = urlsplit(url).netloc
    value = {"id": access.env.random.token_bytes(16).hex(), **message.values}
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    headers = {"Content-Type": "application/json", "User-Agent": f"certdeck/{VERSION}"}
    if key := access.secrets.get("signing_key"):
        headers[SIGNATURE] = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
    env, cancel = access.env, access.cancel
    backoff = Backoff(env.clock, env.random, cancel, PAUSES_SECONDS)
    transport = env.transport(access.settings.get("ca_bundle") or None)
    try:
        while True:
            cancel.check()
            until = None
            try:
                answer = transport.request(
                    "POST", url, headers=headers, body=body, timeout=REQUEST_SECONDS, cancel=cancel
                )
            except TransportFailure as failure:
                error = _unreachable(access, failure)
                if failure.kind == "untrusted":
                    raise error from failure
            else:
                said = safe_line(_concealed(access, first_words(answer)), 200)
                status = f"HTTP {answer.status}{f': {said}' if said else ''}"
                if 200 <= answer.status < 300:
                    return status
                error = _refused(access, place, answer.status, status)
                if answer.status not in _TEMPORARY:
                    raise error
                until = retry_after(answer.headers, env.clock.now())
            backoff.wait_or_raise(error, until)
    finally:
        transport.close()


def _concealed(access: Access, said: str) -> str:
    key = access.secrets.get("signing_key")
    return said.replace(key, "…") if key else said


def _unreachable(access: Access, failure: TransportFailure) -> NotifyError:
    fix = "Check `url`, and that no firewall or proxy blocks the connection."
    if failure.kind == "untrusted":
        fix = "Set `url` to the name in the receiver's certificate, or `ca_bundle` to the file of its CA."
    return notify_error(access, failure.kind, f"The webhook {access.name} was not sent.", str(failure), fix)


def _refused(access: Access, place: str, status: int, said: str) -> NotifyError:
    if 300 <= status < 400:
        why, fix = f"{place} redirects to another URL ({said}).", "Set `url` to the URL that it redirects to."
    elif status in (401, 403):
        why, fix = f"{place} returned {said}.", "Check `url`, and that the receiver uses the same signing key."
    elif status in _TEMPORARY:
        why, fix = f"{place} returned {said} to every attempt.", "Check the receiver's log."
    else:
        why, fix = f"{place} returned {said}.", "Check `url` and the receiver's log."
    reason = "credentials" if status in (401, 403) else "temporary" if status in _TEMPORARY else "refused"
    return notify_error(access, reason, f"The webhook {access.name} was not sent.", why, fix)


def _url_problem(url: str) -> str | None:
    return web_address_problem(url.partition("?")[0])


KIND = ChannelKind(
    name="webhook",
    title="Webhook (JSON)",
    fields=(
        EntryField(key="url", label="URL", help="The URL that receives the JSON by POST.", check=_url_problem),
        EntryField(
            key="signing_key",
            label="Signing key",
            help=f"Key for the HMAC-SHA256 of the body, sent in the header {SIGNATURE}.",
            secret=True,
            required=False,
        ),
        CA_BUNDLE,
        QUIET,
    ),
    help="Set the URL that accepts a POST request with a JSON object.",
    send=send,
)
