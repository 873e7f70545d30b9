"""The services of Apprise, an optional extra: each message is sent in a separate child process with a time limit.

The URL of a service contains its credentials, so the whole URL is secret; every part of it is removed from the library's output
before that is shown.
"""

from __future__ import annotations

from pathlib import Path

from core.fields import CA_BUNDLE, EntryField
from core.notify.channel import QUIET, Access, ChannelKind, Message, notify_error

CHILD = Path(__file__).with_name("apprise_child.py")
SECONDS = 25.0
_LONG_ENOUGH = 4
"""Minimum length in characters of a part of the URL that is removed from the library's output."""


def send(access: Access, message: Message) -> str:
    """Pass a message to Apprise; return a confirmation. See `core.notify.channel.Send`."""
    import re
    from importlib.util import find_spec

    from core.child import ask_child, forms
    from core.dns.stderr_tail import stderr_tail
    from core.notify.apprise_child import MARK

    if find_spec("apprise") is None:
        raise notify_error(
            access,
            "missing",
            f"The notification {access.name} needs Apprise.",
            "It is an optional part of certdeck and is not installed here.",
            "Install it: pip install 'certdeck[notify-more]'.",
        )
    url = access.secrets["url"]
    said, done = ask_child(
        access.env,
        CHILD,
        MARK,
        {"url": url, "title": message.subject, "body": message.text},
        seconds=SECONDS,
        cancel=access.cancel,
        ca_bundle=access.settings.get("ca_bundle"),
    )
    if said is not None and said.get("sent"):
        return "The service accepted the message."
    parts = {part for part in re.split(r"[^A-Za-z0-9_.-]+", url) if len(part) >= _LONG_ENOUGH}
    secrets = [form for secret in (url, *parts) for form in forms(secret)]
    words = stderr_tail(str(said.get("said", "")) if said else done.output, secrets)
    if done.timed_out:
        raise notify_error(
            access,
            "timeout",
            f"The message of {access.name} was not sent.",
            f"Apprise did not finish within {SECONDS:g} s.",
            "Check this box's network and proxy settings; the next run tries again.",
        )
    if said is not None and said.get("unknown"):
        raise notify_error(
            access,
            "refused",
            f"Apprise cannot parse the URL of {access.name}.",
            "No Apprise service uses URLs of this form, or a part is missing.",
            f"Look up the form in the Apprise documentation, then: certdeck notify add {access.name} --replace --secret url=FILE.",
        )
    raise notify_error(
        access,
        "refused",
        f"The message of {access.name} was not sent.",
        f"Apprise says: {words}" if words else "Apprise gave no reason.",
        f"Check the URL: certdeck notify add {access.name} --replace --secret url=FILE.",
    )


KIND = ChannelKind(
    name="apprise",
    title="Apprise",
    fields=(
        EntryField(
            key="url",
            label="Apprise URL",
            help="The service with its credentials, as an Apprise URL such as tgram://TOKEN/CHAT.",
            secret=True,
        ),
        CA_BUNDLE,
        QUIET,
    ),
    help="Set the Apprise URL of a service: Telegram, Slack, Matrix, ntfy, Pushover and many more.",
    send=send,
    notes=("Needs the optional extra: pip install 'certdeck[notify-more]'. It runs in a separate process.",),
)
