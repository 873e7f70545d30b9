"""Exchanges with CAs and DNS providers that are kept as files: what is in them, and what must not be."""

from __future__ import annotations

import json
import stat
import tarfile
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.ports import Response, TransportFailure
from core.store.exchanges import files, recorded
from core.store.vault import Vault
from tests.support.appliance import Appliance

SAVING = "\n[log]\nsave_requests = true\nsave_requests_days = 3\n"
SECRET = "providerToken-93f"


class Answers:
    """A server that answers everything with what it was asked, and what it was not asked for."""

    def request(self, method: str, url: str, **given: object) -> Response:
        if "silent" in url:
            raise TransportFailure("timeout", f"no answer from {url}")
        body = given["body"] or b""
        assert isinstance(body, bytes)
        said = {"access_token": "issuedToken", "echo": body.decode(), "password": "sent back"}
        return Response(
            status=200, headers={"set-cookie": "cookieValue", "content-type": "x/y"}, body=json.dumps(said).encode()
        )

    def close(self) -> None:
        pass


def test_each_exchange_with_the_ca_is_kept(tmp_path: Path) -> None:
    """With the setting on, an issuance leaves readable files that only their owner can read, without a signature or a key."""
    box = Appliance(tmp_path / "home")
    box.configure(SAVING)
    box.issue("shop.example.com", name="shop")
    kept = files(box.paths)
    assert len(kept) > 8
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}
    assert stat.S_IMODE(box.paths.exchanges.stat().st_mode) == 0o700
    said = "\n".join(path.read_text() for path in kept)
    assert "GET https://ca.test/directory" in said
    assert '"identifiers"' in said
    assert '"signature"' not in said
    vault = Vault(box.paths, box.engine.env)
    for name in vault.names():
        lines = vault.get(name).decode().splitlines()
        assert [line for line in lines if line in said] == [], name
    out = tmp_path / "report.tar.gz"
    box.engine.write_report(out, texts={})
    with tarfile.open(out) as archive:
        assert len([name for name in archive.getnames() if "/requests/" in name]) == len(kept[-100:])


def test_nothing_is_kept_without_the_setting(tmp_path: Path) -> None:
    """By default no exchange is written down."""
    box = Appliance(tmp_path / "home")
    box.issue("shop.example.com", name="shop")
    assert not box.paths.exchanges.exists()


@pytest.mark.parametrize(
    ("url", "headers", "body"),
    [
        (f"https://dns.test/v4?apiKey={SECRET}&name=x", {}, None),
        (f"https://me:{SECRET}@dns.test/v4", {}, None),
        ("https://dns.test/v4", {"Authorization": f"Bearer {SECRET}"}, None),
        ("https://dns.test/v4", {"X-Auth-Key": SECRET}, None),
        ("https://dns.test/v4", {"Cookie": f"a={SECRET}"}, None),
        ("https://dns.test/v4", {}, f"anything {SECRET} at all".encode()),
        ("https://dns.test/v4", {}, json.dumps({"client_secret": SECRET[:-1]}).encode()),
        (f"https://silent.test/{SECRET}", {}, None),
    ],
)
def test_no_secret_is_kept(tmp_path: Path, url: str, headers: dict[str, str], body: bytes | None) -> None:
    """Keys in query, user part, headers, forms and bodies are left out, in the request, the answer and the failure (CC-26)."""
    box = Appliance(tmp_path / "home")
    Vault(box.paths, box.engine.env).put("dns/p/token", SECRET.encode())
    env = replace(box.engine.env, transport=lambda _bundle: Answers())
    transport = recorded(env, box.paths, 3).transport(None)
    with suppress(TransportFailure):
        transport.request("POST", url, headers=headers, body=body)
    (path,) = files(box.paths)
    said = path.read_text()
    for secret in (SECRET[:-1], "issuedToken", "sent back", "cookieValue"):
        assert secret not in said
    assert "POST https://" in said


def test_old_ones_go(tmp_path: Path) -> None:
    """What is older than the setting says is removed by the next command that asks somebody."""
    box = Appliance(tmp_path / "home")
    box.configure(SAVING)
    box.issue("shop.example.com", name="shop")
    old = set(files(box.paths))
    box.clock.advance(days=2)
    box.engine.test_issuer("ca")
    assert old < set(files(box.paths))
    box.clock.advance(days=2)
    box.engine.test_issuer("ca")
    assert old & set(files(box.paths)) == set()


def test_a_log_that_cannot_be_written_fails_nothing(tmp_path: Path) -> None:
    """Where the files cannot be written, the work goes on without them."""
    box = Appliance(tmp_path / "home")
    box.configure(SAVING)
    (tmp_path / "home" / "log").write_text("in the way")
    box.issue("shop.example.com", name="shop")
    assert (box.paths.live / "shop").exists()
