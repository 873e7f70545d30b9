"""Sending: bounded in time, in parallel, and with no secret where others can read it."""

from __future__ import annotations

import json
import threading
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.errors import CertdeckError, NotifyError
from core.notify import apprise, smtp
from core.notify.channel import Access, Item
from core.notify.message import compose
from core.ports import CancelToken, Completed, MailReply, MailServer
from core.workflows.settings.notifications import unforeseen
from core.workflows.telling.side_by_side import all_done
from tests.support.appliance import Appliance
from tests.support.clock import NOON, FakeClock
from tests.support.runner import FakeRunner

TOKEN = "123456:tok3n-of-a-bot"
MESSAGE = compose([Item(events=("failed",), what="It failed.", certificate="shop")], "box.example.com", "Acme", NOON)


def access(home: Path, settings: dict[str, str], secrets: dict[str, str], **ports: object) -> Access:
    """Make what a channel works with."""
    env = replace(Appliance(home).engine.env, **ports)
    host = "box.example.com"
    return Access(name="x", settings=settings, secrets=secrets, host=host, env=env, cancel=CancelToken())


def test_a_receiver_that_never_answers_is_left(tmp_path: Path) -> None:
    """One that stalls and one that breaks keep nobody: the others are told, and the time is bounded for all together."""
    never = threading.Event()

    def stall() -> str:
        never.wait(30)
        return "late"

    def broken() -> str:
        raise ValueError(TOKEN)

    found = all_done({"a": stall, "b": lambda: "250 OK", "c": broken}, FakeClock(), unforeseen, seconds=0.2)
    never.set()
    assert found["b"] == "250 OK"
    late, bug = found["a"], found["c"]
    assert isinstance(late, NotifyError)
    assert "0.2 s" in late.why
    assert isinstance(bug, CertdeckError)
    assert TOKEN not in str(bug)


def test_apprise_gets_its_address_on_standard_input_alone(tmp_path: Path) -> None:
    """The address of a service is neither among the arguments nor in the environment, nor in what is said of a failure."""
    said = f"certdeck-apprise:{json.dumps({'sent': False, 'said': f'POST tgram://{TOKEN}/77 was refused ({TOKEN})'})}"
    runner = FakeRunner()
    runner.run = lambda argv, **given: seen.append((argv, given)) or Completed(returncode=0, output=said)
    seen: list[tuple[object, dict[str, object]]] = []
    with pytest.raises(NotifyError) as caught:
        apprise.send(access(tmp_path, {}, {"url": f"tgram://{TOKEN}/77"}, runner=runner), MESSAGE)
    argv, given = seen[0]
    assert TOKEN not in f"{argv}{given['extra_env']}"
    assert TOKEN.encode() in bytes(given["stdin"])
    assert "tok3n" not in str(caught.value)


class Mailbox:
    """The port `Mailer` in memory."""

    def __init__(self) -> None:
        self.sent: list[tuple[MailServer, str, list[str], bytes]] = []

    def send(self, server: MailServer, sender: str, recipients: list[str], mail: bytes, *, timeout: float) -> MailReply:
        self.sent.append((server, sender, recipients, mail))
        return MailReply(said="250 OK")


@pytest.mark.parametrize(("security", "port"), [("none", 25), ("starttls", 587), ("tls", 465)])
def test_mail_goes_to_the_usual_port(tmp_path: Path, security: str, port: int) -> None:
    """Without a port it is that of the kind of connection; one mail goes to all recipients, each named once."""
    box = Mailbox()
    settings = {"host": "mail.example.com", "security": security, "to": "a@b.example, c@d.example,a@b.example"}
    assert smtp.send(access(tmp_path, settings, {}, mailer=box), MESSAGE) == "250 OK"
    server, sender, recipients, raw = box.sent[0]
    assert (server.port, server.helo) == (port, "box.example.com")
    assert (sender, recipients) == ("certdeck@box.example.com", ["a@b.example", "c@d.example"])
    mail = message_from_bytes(raw, policy=default)
    assert mail["Subject"] == "[certdeck box.example.com] failed: shop"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "It failed." in mail.get_content()
    assert max(map(len, raw.split(b"\r\n"))) <= 998, "RFC 5322 §2.1.1"
    assert b"\n" not in raw.replace(b"\r\n", b"")


def test_a_user_name_without_a_password(tmp_path: Path) -> None:
    """A password that was lost is said before anybody is asked."""
    settings = {"host": "mail.example.com", "security": "tls", "to": "a@b.example", "username": "box"}
    with pytest.raises(NotifyError, match="no password"):
        smtp.send(access(tmp_path, settings, {}), MESSAGE)
    assert "pass" not in repr(MailServer(host="h", port=1, security="tls", password="pass"))
