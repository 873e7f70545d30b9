"""A hub's notifications about its fleet, over a real webhook: a device that refuses, and an etcd that is gone, and their ends."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.support.etcd import EtcdCluster
from tests.support.fleet_box import FleetBox

pytestmark = pytest.mark.e2e

ISSUE = ("issue", "-d", "box.lan", "--name", "lan")


class Webhook:
    """Keeps the messages that come."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                value = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                hook.messages += value["messages"]
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                """Be quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def config(self) -> str:
        url = f"http://127.0.0.1:{self.server.server_port}/in"
        return f'[notifications.hook]\nkind = "webhook"\nurl = "{url}"\non = ["failed", "not-served", "recovered"]\n'

    def heard(self) -> list[tuple[str, str]]:
        """Return event and first sentence of what came since the last call."""
        found = [(each["event"], each["what"]) for each in self.messages]
        self.messages.clear()
        return found


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    """Who is told."""
    hook = Webhook()
    yield hook
    hook.server.shutdown()
    hook.server.server_close()


def test_a_hub_tells_of_its_fleet(
    etcds: Callable[..., EtcdCluster], boxes: Callable[..., FleetBox], webhook: Webhook
) -> None:
    """The scheduled run of a hub tells of a device that refuses a version and of an etcd that is gone, once, and of their ends."""
    etcd = etcds()
    hub = boxes("hub", etcd, "hub", more=f'[defaults]\nissuer = "appliance-ca"\n{webhook.config}')
    device = boxes("device", etcd, "device")
    hub.done("fleet", "init")
    device.join(hub)
    hub.done(*ISSUE)
    device.done("fleet", "sync")
    hub.done("--renew")
    webhook.heard()

    device.break_target()
    hub.done(*ISSUE, "--force")
    assert device.run("fleet", "sync").status == 1
    hub.done("--renew")
    assert webhook.heard() == [("not-served", "The newest version of lan is not served by 1 of 1 devices.")]
    hub.done("--renew")
    assert webhook.heard() == []
    device.mend_target()
    device.done("fleet", "sync")
    hub.done("--renew")
    assert webhook.heard() == [("recovered", "Every device serves lan again.")]

    [member] = etcd.members
    etcd.kill(member)
    assert hub.run("--renew", timeout=120).status == 1
    [(event, what)] = webhook.heard()
    assert event == "failed"
    assert "etcd" in what
    etcd.start_member(member)
    etcd.wait_ready()
    hub.done("--renew")
    assert webhook.heard() == [("recovered", "The fleet is reachable again.")]
