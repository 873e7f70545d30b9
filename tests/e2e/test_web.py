"""`certdeck web` with the real nginx, Apache httpd, HAProxy and Caddy (ST-50 to ST-56, CL-21)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPMessage, HTTPSConnection
from pathlib import Path

import pytest

from core.system.prober import trusting_nothing
from core.web.headers import FIXED
from tests.support.authority import Authority, self_signed
from tests.support.command import Answer, process
from tests.support.programs import wait_until
from tests.support.web_servers import WebServer

pytestmark = pytest.mark.e2e
KINDS = ("nginx", "apache", "haproxy", "caddy")


class Box:
    """A web server, and a home that deploys to it and trusts one CA."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.server = WebServer(kind, folder / kind)
        self.before = self.server.configuration.read_bytes()
        self.home = folder / "home"
        self.folder = folder
        (self.home / "etc").mkdir(parents=True)
        (self.home / "etc" / "certdeck.toml").write_text(self.server.toml())
        self.authority = Authority.new()
        (folder / "roots.pem").write_bytes(self.authority.root_pem)

    def run(self, *argv: str) -> Answer:
        """Run certdeck, which trusts the CA."""
        return process(*argv, home=self.home, env={"SSL_CERT_FILE": str(self.folder / "roots.pem")})

    def done(self, *argv: str) -> Answer:
        """Run certdeck and insist that it ends well."""
        answer = self.run(*argv)
        assert answer.status == 0, answer.out + answer.err
        return answer

    def deploy(self, *, trusted: bool) -> None:
        """Import a certificate of the CA, or a self-signed one, and deploy it."""
        names = ["shop.example.com"]
        leaf = self.authority.leaf(names) if trusted else self_signed(names)
        certificate, key = self.folder / "new.crt", self.folder / "new.key"
        leaf.write(certificate, key)
        self.done("import", "shop", "--cert", str(certificate), "--key", str(key), "--target", "web", "--json")

    def headers(self) -> HTTPMessage:
        """Return what the page sends over HTTPS."""
        connection = HTTPSConnection("127.0.0.1", self.server.port, context=_asking("shop.example.com"), timeout=5)
        connection.request("GET", "/", headers={"Host": "shop.example.com"})
        headers = connection.getresponse().headers
        connection.close()
        return headers

    def plain(self, path: str) -> tuple[int, str]:
        """Return status and location of plain HTTP."""
        connection = HTTPConnection("127.0.0.1", self.server.http_port, timeout=5)
        connection.request("GET", path, headers={"Host": "shop.example.com"})
        answer = connection.getresponse()
        connection.close()
        return answer.status, answer.headers.get("Location", "")


def _asking(name: str):
    """Return a context that indicates a name whatever address is connected to."""
    context = trusting_nothing()
    wrap = context.wrap_socket
    context.wrap_socket = lambda sock, **kwargs: wrap(sock, **{**kwargs, "server_hostname": name})
    return context


@pytest.fixture
def boxes(tmp_path: Path) -> Iterator[Callable[[str], Box]]:
    """Make boxes; their servers end with the test."""
    made: list[Box] = []

    def make(kind: str) -> Box:
        made.append(Box(kind, tmp_path))
        return made[-1]

    yield make
    for box in made:
        box.server.stop()


@pytest.mark.parametrize("kind", KINDS)
def test_a_web_server_gets_headers_tls_and_redirect_and_loses_them_again(
    kind: str, boxes: Callable[[str], Box]
) -> None:
    """Each server sends the six headers once, redirects plain HTTP but not the challenge, and is as it was after `web remove`.

    With the values of ST-51, ST-52, ST-53, ST-54 and ST-55.
    """
    box = boxes(kind)
    box.deploy(trusted=True)
    seen = box.done("web", "show", "web", "--json").json
    assert (seen["server"], seen["state"]) == (kind, "absent")
    assert box.server.configuration.read_bytes() == box.before
    state = box.done("web", "apply", "web", "--json").json
    assert (state["state"], state["changed"], state["hsts"]) == ("applied", True, "max-age=300")
    assert {each["state"] for each in state["listeners"][0]["headers"]} == {"ok"}, state
    wanted = dict(FIXED) | {"Strict-Transport-Security": "max-age=300"}
    wait_until(
        lambda: (
            {name: box.headers().get_all(name) for name in wanted} == {name: [value] for name, value in wanted.items()}
        ),
        "every header, once",
    )
    port = "" if kind == "caddy" else f":{box.server.port}"  # Caddy takes https_port for something behind a port 443
    secured = f"https://shop.example.com{port}/some/page?q=1"
    wait_until(lambda: box.plain("/some/page?q=1") == (308, secured), "plain HTTP redirected")
    if kind != "caddy":  # it redirects everything, and answers its own challenges before that
        assert box.plain("/.well-known/acme-challenge/x")[0] in (502, 503)
    again = box.done("web", "apply", "web", "--json").json
    assert (again["state"], again["changed"]) == ("applied", False)
    box.done("web", "remove", "web")
    assert box.server.configuration.read_bytes() == box.before
    wait_until(lambda: box.headers().get("Referrer-Policy") is None, "pages without headers")


@pytest.mark.parametrize("kind", KINDS)
def test_hsts_goes_with_a_certificate_that_nobody_trusts(kind: str, boxes: Callable[[str], Box]) -> None:
    """A self-signed certificate takes HSTS out of the configuration before it is served; a trusted one brings it back (ST-50)."""
    box = boxes(kind)
    box.deploy(trusted=True)
    box.done("web", "apply", "web")
    box.deploy(trusted=False)
    wait_until(lambda: box.headers().get("Strict-Transport-Security") is None, "pages without HSTS")
    assert box.headers().get("X-Frame-Options") == "DENY"
    assert box.done("web", "show", "web", "--json").json["state"] == "applied"
    box.done("rollback", "shop")
    wait_until(lambda: box.headers().get("Strict-Transport-Security") == "max-age=300", "pages with HSTS")


@pytest.mark.parametrize("kind", KINDS)
def test_a_configuration_that_fails_its_test_comes_back(kind: str, boxes: Callable[[str], Box]) -> None:
    """Where the server refuses its configuration, the file is what it was, byte for byte, and the refusal says why."""
    box = boxes(kind)
    box.deploy(trusted=True)
    broken = box.server.configuration.read_bytes() + (
        b"\n}\n" if kind == "caddy" else b"\nsomebody made a typing mistake here\n"
    )
    box.server.configuration.write_bytes(broken)
    answer = box.run("web", "apply", "web", "--json")
    assert (answer.status, answer.error["code"]) == (1, "config-test-failed"), answer.out
    assert box.server.configuration.read_bytes() == broken
    assert not (box.home / "state" / "web-change.json").exists()


def test_a_target_that_is_no_web_server_is_refused(boxes: Callable[[str], Box]) -> None:
    """`web` says which servers it knows, and what to do where no configuration names the certificate."""
    box = boxes("nginx")
    config = box.home / "etc" / "certdeck.toml"
    config.write_text(
        config.read_text() + f'[targets.mail]\ncertificate = "{box.folder}/m.crt"\nkey = "{box.folder}/m.key"\n'
    )
    answer = box.run("web", "apply", "mail", "--json")
    assert (answer.status, answer.error["code"]) == (1, "web-not-possible")
    assert "nginx, apache, haproxy, caddy" in answer.error["why"]
    box.server.configuration.write_text(box.before.decode().replace(str(box.server.certificate), "/elsewhere.crt"))
    answer = box.run("web", "apply", "web", "--json")
    assert (answer.status, answer.error["code"]) == (1, "web-not-possible")
    assert str(box.server.configuration) in answer.error["why"]
