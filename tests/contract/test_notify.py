"""`certdeck notify …` in the real program, on real receivers: mail with STARTTLS, TLS and login, and webhooks (SO-08)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.support.command import Answer, process
from tests.support.receivers import MailServer, WebhookReceiver

PASSWORD = "correct-horse-battery"
KEY = "signing-key-0a1b2c3d"
TOKEN = "apprise-token-9f8e7d"
BASE = '[appliance]\nname = "Acme Box"\nhostname = "box.example.com"\n'


@pytest.fixture
def box(home: Path, tmp_path: Path) -> Path:
    """A home with a configuration, and files of secrets beside it."""
    (home / "etc").mkdir(parents=True)
    (home / "etc" / "certdeck.toml").write_text(BASE)
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    (tmp_path / "key").write_text(f"{KEY}\n")
    return home


def run(home: Path, *argv: str, status: int = 0, stdin: bytes = b"") -> Answer:
    """Run a command; there is never a traceback, and never a secret in the output."""
    answer = process(*argv, home=home, stdin=stdin)
    assert answer.status == status, answer.out + answer.err
    said = answer.out + answer.err
    assert "Traceback" not in said
    assert not [secret for secret in (PASSWORD, KEY, TOKEN) if secret in said]
    return answer


def add_mail(home: Path, server: MailServer, *more: str, security: str = "none", name: str = "admins") -> Answer:
    """Add the mail server as a channel."""
    settings = [
        "host=127.0.0.1",
        f"port={server.port}",
        f"security={security}",
        "to=admin@example.com, ops@example.com",
    ]
    return run(home, "notify", "add", name, "--kind", "smtp", "--set", *settings, *more, "--json")


def test_add_list_remove(box: Path, tmp_path: Path) -> None:
    """Settings go into the configuration, the secret into the vault as notify/NAME/KEY; the list says which are there."""
    config = box / "etc" / "certdeck.toml"
    config.write_text(f"# ours\n{BASE}")
    argv = ["notify", "add", "hook", "--kind", "webhook", "--set", "url=https://hook.example.com/in"]
    added = run(box, *argv, "--secret", f"signing_key={tmp_path / 'key'}", "--on", "failed", "recovered", "--json").json
    entry = {
        "name": "hook",
        "kind": "webhook",
        "title": "Webhook (JSON)",
        "on": ["failed", "recovered"],
        "settings": {"url": "https://hook.example.com/in"},
        "secrets": {"signing_key": True},
        "missing": [],
    }
    assert added == {**entry, "changed": True}
    assert run(box, "notify", "list", "--json").json == {"notifications": [entry]}
    assert config.read_text().startswith("# ours\n")
    assert '[notifications.hook]\nkind = "webhook"\nurl = "https://hook.example.com/in"' in config.read_text()
    assert (box / "state" / "vault" / "notify%2Fhook%2Fsigning_key.sealed").exists()
    assert "failed, recovered" in run(box, "notify", "list").out
    assert run(box, *argv, "--json", status=2).error["code"] == "usage"
    run(box, "notify", "add", "hook", "--replace", "--set", "quiet=22:00-07:00", "--on", "all")
    listed = run(box, "notify", "list", "--json").json["notifications"][0]
    assert len(listed["on"]) == 12
    assert listed["settings"]["quiet"] == "22:00-07:00"
    assert run(box, "notify", "remove", "hook", "--json").json == {"name": "hook", "changed": True}
    assert run(box, "notify", "list", "--json").json == {"notifications": []}
    assert list((box / "state" / "vault").iterdir()) == []
    assert run(box, "notify", "remove", "hook", "--json", status=1).error["code"] == "not-found"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--kind", "pigeon"], "no kind of notification pigeon"),
        (["--kind", "smtp", "--set", "host=mail"], "To: it is missing"),
        (["--kind", "smtp", "--set", "host=mail", "to=nobody"], "addresses"),
        (["--kind", "smtp", "--set", "host=mail", "to=a@b.example\nBcc: x@y.example"], "control characters"),
        (["--kind", "smtp", "--set", "host=mail", "to=a@b.example", "security=ssl"], "choose one of"),
        (["--kind", "webhook", "--set", "url=ftp://x"], "URL"),
        (["--kind", "webhook", "--set", "url=https://u:p@x.example/"], "must not contain a user name"),
        (["--kind", "webhook", "--set", "url=https://x.example/", "quiet=late"], "22:00-07:00"),
        (["--kind", "webhook", "--set", "url=https://x.example/", "--on", "renewd"], "Did you mean renewed?"),
        (["--kind", "webhook", "--set", "url=https://x.example/", "signing_key=x"], "--secret signing_key=FILE"),
        (["--kind", "webhook", "--set", "url=https://x.example/", "on=failed"], "--on"),
        ([], "--kind"),
    ],
)
def test_what_cannot_be_is_refused(box: Path, argv: list[str], said: str) -> None:
    """A kind, an event, a setting or a value that cannot be is wrong usage, in words that name it; nothing is kept."""
    answer = run(box, "notify", "add", "x", *argv, "--json", status=2)
    assert said in " ".join(str(answer.error[key]) for key in ("what", "why", "fix"))
    assert (box / "etc" / "certdeck.toml").read_text() == BASE


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # aiosmtpd, of a login without STARTTLS
@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_mail_arrives(box: Path, tmp_path: Path, security: str) -> None:
    """`notify test` sends plain text to every recipient over each kind of connection, with a login, and says the answer."""
    with MailServer(tmp_path, security, login=("box", PASSWORD)) as server:
        more = ["username=box", f"ca_bundle={server.ca_bundle}", "from=box@example.com"]
        add_mail(box, server, *more, "--secret", f"password={tmp_path / 'password'}", security=security)
        found = run(box, "notify", "test", "admins", "--json").json
        assert {key: found[key] for key in ("name", "kind", "ok")} == {"name": "admins", "kind": "smtp", "ok": True}
        assert found["said"] == "250 2.0.0 queued as 4FsB7"
        mail = server.received[0]
        assert (mail.sender, mail.recipients) == ("box@example.com", ["admin@example.com", "ops@example.com"])
        assert (mail.is_tls, mail.user) == (security != "none", "box")
        assert mail.mail["Subject"] == "[certdeck box.example.com] test"
        assert mail.mail.get_content_type() == "text/plain"
        assert "This is a test of the notification admins." in mail.mail.get_content()


def test_a_mail_server_that_cannot_be_trusted(box: Path, tmp_path: Path) -> None:
    """Without its CA, with a wrong password, or without STARTTLS nothing is sent, and the error says what to do."""
    with MailServer(tmp_path, "starttls", login=("box", "something else")) as server:
        secret = ["--secret", f"password={tmp_path / 'password'}"]
        add_mail(box, server, "username=box", *secret, security="starttls")
        error = run(box, "notify", "test", "admins", "--json", status=1).error
        assert error["code"] == "notify-failed"
        assert "does not verify" in error["why"]
        assert "ca_bundle" in error["fix"]
        run(box, "notify", "add", "admins", "--replace", "--set", f"ca_bundle={server.ca_bundle}")
        error = run(box, "notify", "test", "admins", "--json", status=1).error
        assert "535" in error["why"]
        assert "password" in error["fix"]
        assert server.received == []
    with MailServer(tmp_path, "none") as plain:
        add_mail(box, plain, security="starttls", name="open")
        assert "does not offer STARTTLS" in run(box, "notify", "test", "open", "--json", status=1).error["why"]
        assert plain.received == []


def test_recipients_that_are_refused(box: Path, tmp_path: Path) -> None:
    """One recipient that is refused does not keep the mail from the others, and is named; none at all is a failure."""
    with MailServer(tmp_path) as server:
        add_mail(box, server)
        server.refuses = {"ops@example.com"}
        said = run(box, "notify", "test", "admins", "--json").json["said"]
        assert "ops@example.com was refused: 550" in said
        assert server.received[0].recipients == ["admin@example.com"]
        server.refuses |= {"admin@example.com"}
        assert "none of the recipients" in run(box, "notify", "test", "admins", "--json", status=1).error["why"]


def test_a_webhook_is_signed_and_repeated(box: Path, tmp_path: Path) -> None:
    """A receiver that fails first gets the same body again, signed with HMAC-SHA256; the answer is said."""
    with WebhookReceiver(tmp_path, answers=[503]) as receiver:
        settings = [f"url={receiver.url}", f"ca_bundle={receiver.ca_bundle}"]
        secret = ["--secret", f"signing_key={tmp_path / 'key'}"]
        run(box, "notify", "add", "hook", "--kind", "webhook", "--set", *settings, *secret)
        found = run(box, "notify", "test", "hook", "--json").json
        assert (found["ok"], found["said"]) == (True, "HTTP 200: noted")
        first, second = receiver.posted
        assert first.body == second.body
        assert second.is_signed(KEY)
        value = second.json
        assert (value["host"], value["appliance"]) == ("box.example.com", "Acme Box")
        assert value["subject"] == "[certdeck box.example.com] test"
        assert [message["event"] for message in value["messages"]] == ["test"]
        receiver.answers = [404]
        error = run(box, "notify", "test", "hook", "--json", status=1).error
        assert (error["code"], "HTTP 404" in error["why"]) == ("notify-failed", True)


def test_a_receiver_that_is_not_there(box: Path) -> None:
    """A closed port is a failure in words, and a row of the log."""
    run(box, "notify", "add", "hook", "--kind", "webhook", "--set", "url=https://127.0.0.1:1/x")
    answer = run(box, "notify", "test", "hook", status=1)
    assert "The webhook hook was not sent." in answer.err
    kinds = [entry["kind"] for entry in run(box, "log", "--json").json["entries"]]
    assert "failed" in kinds


def test_apprise_runs_in_a_process_of_its_own(box: Path, tmp_path: Path) -> None:
    """Apprise gets the message on standard input and hands it on; a failure shows no part of its address."""
    with WebhookReceiver() as receiver:
        place = receiver.url.removeprefix("http://").removesuffix("/hook")
        (tmp_path / "url").write_text(f"json://user:{TOKEN}@{place}/in\n")
        run(box, "notify", "add", "more", "--kind", "apprise", "--secret", f"url={tmp_path / 'url'}")
        assert run(box, "notify", "test", "more", "--json").json["ok"] is True
        assert receiver.posted[0].json["title"] == "[certdeck box.example.com] test"
        receiver.answers = [500]
        error = run(box, "notify", "test", "more", "--json", status=1).error
        assert error["code"] == "notify-failed"
        assert place not in str(error)
    (tmp_path / "url").write_text(f"nosuch://{TOKEN}/\n")
    run(box, "notify", "add", "more", "--replace", "--secret", f"url={tmp_path / 'url'}")
    assert "cannot parse" in run(box, "notify", "test", "more", "--json", status=1).error["what"]


def test_unknown_keys_name_the_nearest(box: Path) -> None:
    """A misspelled key or event of `[notifications.NAME]` is an error that names the nearest one."""
    config = box / "etc" / "certdeck.toml"
    config.write_text('[notifications.a]\nkind = "smtp"\nhots = "mail"\nto = ["a@b.example"]\non = ["fail"]\n')
    error = run(box, "notify", "list", "--json", status=2).error
    assert error["code"] == "config-invalid"
    assert "notifications.a.hots: unknown key" in error["why"]
    assert "Did you mean host?" in error["fix"]
    assert "Did you mean failed?" in error["fix"]


def test_no_secret_on_the_disk_in_the_open(box: Path, tmp_path: Path) -> None:
    """Neither configuration, state, log nor history holds a secret in the open after it was used."""
    with WebhookReceiver(answers=[401]) as receiver:
        secret = ["--secret", f"signing_key={tmp_path / 'key'}"]
        run(box, "notify", "add", "hook", "--kind", "webhook", "--set", f"url={receiver.url}", *secret)
        run(box, "notify", "test", "hook", status=1)
    with sqlite3.connect(box / "state" / "history.sqlite") as history:
        assert history.execute("SELECT count(*) FROM history").fetchone()[0] > 2
    history.close()
    files = [path for path in box.rglob("*") if path.is_file()]
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []


def test_a_failed_run_arrives_as_mail(box: Path, tmp_path: Path) -> None:
    """A run in which something fails ends with 1 as ever, and the mail says what, why and what to do (CL-06)."""
    with MailServer(tmp_path) as server:
        add_mail(box, server)
        (box / "etc" / "certificates.d").mkdir()
        (box / "etc" / "certificates.d" / "shop.toml").write_text("domains = 7\n")
        answer = run(box, "--renew", "--json", status=1)
        assert "warnings" not in answer.json
        mail = server.received[0].mail
        assert mail["Subject"].startswith("[certdeck box.example.com] failed: shop")
        assert "What to do:" in mail.get_content()
    error = answer.json["failed"][0]["error"]
    assert error["code"] == "config-invalid"


def test_a_receiver_that_is_down_changes_no_status(box: Path) -> None:
    """A run whose message is not taken has a warning in its JSON, words for people, and the status of the run."""
    run(box, "first-boot", "--hostname", "box.example.com")
    run(box, "notify", "add", "hook", "--kind", "webhook", "--set", "url=https://127.0.0.1:1/x")
    warnings = run(box, "--renew", "--json").json["warnings"]
    assert [(each["code"], sorted(each)) for each in warnings] == [("notify-failed", ["code", "fix", "what"])]
    assert "The webhook hook was not sent." in run(box, "--renew").out
