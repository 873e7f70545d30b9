"""The product's commands against other ACME servers: how each step ends there is the README's table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.interop import servers
from tests.interop.table import ROWS, Row
from tests.support.command import Answer, process

pytestmark = [pytest.mark.interop, pytest.mark.timeout(240)]

START: dict[str, Callable[[Path], AbstractContextManager[servers.Server]]] = {
    "Pebble": servers.pebble,
    "Caddy `acme_server`": servers.caddy,
    "acme2certifier": servers.acme2certifier,
    "serles": servers.serles,
}
NAMES = ("-d", "a.lab.test", "-d", "b.lab.test")


class Box:
    """A box that orders from one of them."""

    def __init__(self, home: Path, server: servers.Server) -> None:
        self.home = home
        self.server = server
        (home / "etc").mkdir(parents=True)
        self.configure(server.http01_port)

    def configure(self, port: int) -> None:
        """Listen for HTTP-01 on `port`."""
        (self.home / "etc" / "certdeck.toml").write_text(
            f'[issuers.ca]\ndirectory = "{self.server.directory}"\nca_bundle = "{self.server.ca_bundle}"\nagree_tos = true\n'
            f'[defaults]\nissuer = "ca"\n[http01]\naddress = "127.0.0.1"\nport = {port}\n'
        )

    def run(self, *argv: str) -> Answer:
        answer = process(*argv, "--json", home=self.home)
        assert "Traceback" not in answer.err
        return answer

    def done(self, *argv: str) -> dict[str, Any]:
        answer = self.run(*argv)
        assert answer.status == 0, answer.out + answer.err + self.server.log.read_text(errors="replace")[-3000:]
        return answer.json

    def refused(self, *argv: str) -> str:
        answer = self.run(*argv)
        assert answer.status == 1, answer.out
        return " ".join(str(part) for part in answer.error.values())


@pytest.fixture(autouse=True)
def _dns(tmp_path: Path) -> Iterator[None]:
    with servers.name_server(tmp_path):
        yield


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.server)
def test_every_step_ends_as_the_readme_says(row: Row, tmp_path: Path) -> None:
    """Certificate, renewal, contact, account key, revocation and a name that fails: what is seen is what the table says."""
    folder = tmp_path / "server"
    folder.mkdir()
    with START[row.server](folder) as server:
        box = Box(tmp_path / "box", server)
        seen = Row(
            server=row.server,
            version=server.version,
            certificate=_certificate(box),
            renewal=_renewal(box),
            contact=_contact(box, row),
            key_change=_key_change(box),
            revocation=_revocation(box),
            failed_name=_failed_name(box),
        )
    assert seen == row


def _certificate(box: Box) -> str:
    assert box.done("issuer", "test", "ca")["missing"] == []
    if box.run("issue", *NAMES).status != 0:
        said = box.refused("issue", *NAMES)
        assert "--email" in said, said
        box.done("issue", *NAMES, "--email", "admin@example.com")
    got = box.run("issue", "-d", "127.0.0.1")
    return "yes, IP too" if got.status == 0 else "yes"


def _renewal(box: Box) -> str:
    assert box.done("renew", "a.lab.test", "--force")["renewed"] == ["a.lab.test"]
    return "yes, with ARI" if box.done("issuer", "test", "ca")["ari"] else "yes"


def _contact(box: Box, row: Row) -> str:
    needed = any(account["contact"] for account in box.done("account", "list")["accounts"])
    box.done("account", "contact", "ca", "--email", "other@example.com")
    removed = box.run("account", "contact", "ca", "--none")
    if removed.status == 0:
        return "yes"
    said = " ".join(str(part) for part in removed.error.values())
    if needed:
        assert removed.error["code"] == "contact-required", said
        return "needed, changeable"
    assert "keeps other@example.com" in said, said
    return "cannot be removed"


def _key_change(box: Box) -> str:
    answer = box.run("account", "rollover", "ca")
    if answer.status == 0:
        box.done("renew", "a.lab.test", "--force")
        return "yes"
    assert "does not support changing the key" in answer.out, answer.out
    return "not offered"


def _revocation(box: Box) -> str:
    answer = box.run("revoke", "a.lab.test", "--reason", "superseded", "--yes")
    if answer.status == 0:
        return "yes"
    assert "does not support revocation" in answer.out, answer.out
    return "not offered"


def _failed_name(box: Box) -> str:
    box.configure(26801)
    began = time.monotonic()
    said = box.refused("issue", "-d", "f.lab.test", "-d", "g.lab.test")
    took = time.monotonic() - began
    assert "authorization-failed" in said, said
    if took < 15:
        return "reason within seconds"
    assert "could not connect" in said, said
    assert took < 75
    return "reason at once, error within a minute"
