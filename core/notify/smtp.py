"""Mail: plain text over SMTP, with STARTTLS or TLS and a login (RFC 5321, 3207, 8314, 4954).

Without TLS no password is sent, except to this box itself. If STARTTLS is configured and the server does not offer it, no mail is
sent: an attacker who removes the offer could read it.
"""

from __future__ import annotations

import re

from core.errors import NotifyError
from core.fields import CA_BUNDLE, EntryField
from core.notify.channel import QUIET, Access, ChannelKind, Message, notify_error
from core.ports import MailFailure, MailServer
from core.text import safe_line

PORTS = {"none": 25, "starttls": 587, "tls": 465}
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
SECONDS = 10.0
"""Limit for each reply of the server; some do a DNS lookup before they send their greeting."""


def send(access: Access, message: Message) -> str:
    """Send a message as mail; return the server's reply. See `core.notify.channel.Send`."""
    settings = access.settings
    security = settings["security"]
    server = MailServer(
        host=settings["host"],
        port=int(settings.get("port") or PORTS[security]),
        security=security,
        ca_bundle=settings.get("ca_bundle"),
        username=settings.get("username"),
        password=access.secrets.get("password"),
        helo=access.host if _HOST.fullmatch(access.host) and "." in access.host else "[127.0.0.1]",
    )
    if server.username and server.password is None:
        raise notify_error(
            access,
            "missing",
            f"{access.name} has a user name but no password.",
            "Its password is not in the vault.",
            f"Set it: certdeck notify add {access.name} --replace --secret password=FILE.",
        )
    sender = settings.get("from") or f"certdeck@{access.host if _HOST.fullmatch(access.host) else 'localhost'}"
    recipients = recipients_in(settings["to"])
    try:
        reply = access.env.mailer.send(server, sender, recipients, _mail(access, message, sender), timeout=SECONDS)
    except MailFailure as failure:
        raise _error(access, server, failure) from failure
    refused = "; ".join(f"{each} was refused: {safe_line(said, 200)}" for each, said in reply.refused.items())
    return f"{safe_line(reply.said, 200)}{f' ({refused})' if refused else ''}"


def recipients_in(text: str) -> list[str]:
    """Return the addresses of a comma-separated list, each once."""
    return list(dict.fromkeys(each.strip() for each in text.split(",") if each.strip()))


def _mail(access: Access, message: Message, sender: str) -> bytes:
    from email.message import EmailMessage
    from email.policy import SMTP
    from email.utils import format_datetime

    now = access.env.clock.now()
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = ", ".join(recipients_in(access.settings["to"]))
    mail["Subject"] = safe_line(message.subject, 200)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{access.env.random.token_bytes(16).hex()}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: prevents out-of-office replies
    mail.set_content(message.text, charset="utf-8", cte="quoted-printable")
    return mail.as_bytes()


def _error(access: Access, server: MailServer, failure: MailFailure) -> NotifyError:
    said = safe_line(str(failure), 300)
    for form in {server.password or "", (server.password or "").strip()} - {""}:
        said = said.replace(form, "…")
    fixes = {
        "credentials": f"Check `username` and the password: certdeck notify add {access.name} --replace --secret password=FILE.",
        "no-starttls": "Set `security` to tls (port 465) if the server uses implicit TLS, or enable STARTTLS on the server.",
        "no-tls": "Set `security` to starttls or tls: without TLS, certdeck sends a password only to this box itself.",
        "untrusted": "Set `host` to the name in the server's certificate, or `ca_bundle` to the file of its CA.",
        "refused": "Check `from` and `to`, and that the server accepts mail from this box.",
    }
    return notify_error(
        access,
        failure.kind,
        f"The mail of {access.name} was not sent.",
        said if said.endswith((".", "…")) else f"{said}.",
        fixes.get(failure.kind, "Check `host`, `port` and `security`, and that no firewall blocks the connection."),
    )


def _addresses_problem(text: str) -> str | None:
    found = recipients_in(text)
    if not found or not all(map(_ADDRESS.fullmatch, found)):
        return "write addresses such as admin@example.com, separated by commas"
    return None


def _address_problem(text: str) -> str | None:
    return None if _ADDRESS.fullmatch(text) else "write one address, such as box@example.com"


def _host_problem(text: str) -> str | None:
    return None if _HOST.fullmatch(text) else "write only the name or address of the mail server"


def _port_problem(text: str) -> str | None:
    is_good = text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65536
    return None if is_good else "use a port from 1 to 65535"


KIND = ChannelKind(
    name="smtp",
    title="Mail (SMTP)",
    fields=(
        EntryField(
            key="host", label="Server", help="The name of the mail server, as in its certificate.", check=_host_problem
        ),
        EntryField(
            key="port",
            label="Port",
            help="Default: 587 for starttls, 465 for tls, 25 for none.",
            required=False,
            check=_port_problem,
        ),
        EntryField(
            key="security",
            label="Security",
            help="How the connection is protected.",
            required=False,
            default="starttls",
            choices=tuple(PORTS),
        ),
        EntryField(key="username", label="User name", help="For a server that requires a login.", required=False),
        EntryField(key="password", label="Password", help="The user's password.", secret=True, required=False),
        EntryField(
            key="from",
            label="From",
            help="The sender. Default: certdeck@ followed by the name of this box.",
            required=False,
            check=_address_problem,
        ),
        EntryField(key="to", label="To", help="The recipients, separated by commas.", check=_addresses_problem),
        CA_BUNDLE,
        QUIET,
    ),
    help="Set the mail server for this box, and the recipients.",
    send=send,
)
