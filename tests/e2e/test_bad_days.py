"""What goes wrong around a box: the CA, the network, the disk, the configuration, the service. Nothing live is ever lost.

Every case is a command as a process, and its answer is read as a script would: status, code, what, why, fix.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.authority import Authority
from tests.support.nginx import NginxServer
from tests.support.pebble import PebbleServer
from tests.support.programs import free_port
from tests.support.real_box import RealBox
from tests.support.tls_service import http_answer, serving

pytestmark = pytest.mark.e2e

FreshName = Callable[[str], str]


@pytest.fixture
def box(home: Path, pebble: PebbleServer, nginx: NginxServer) -> RealBox:
    """A configured box on which nothing has been done yet."""
    return RealBox(home, pebble, nginx)


@pytest.fixture
def shop(box: RealBox) -> RealBox:
    """That box, serving a certificate of its private CA, `shop`."""
    box.done("issue", "-d", "shop.lan", "--name", "shop", "--issuer", "appliance-ca", "--target", "web")
    return box


def check_words(error: dict[str, Any]) -> None:
    """Fail unless an error says what, why and what to do, in sentences and without our insides."""
    for part in ("what", "why", "fix"):
        assert re.search(r"[.?!)\"'`]$|: \S+$", error[part].strip()), error
        assert not re.search(r"Traceback|Errno|<class|Exception\b|None\b|object at 0x", error[part]), error


def refused_and_unchanged(box: RealBox, *argv: str, code: str, status: int = 1) -> dict[str, Any]:
    """Run something that has to fail; nginx and the files are as before."""
    before = (box.nginx.served_sha256(), box.nginx.certificate.read_bytes(), box.nginx.key.read_bytes())
    error = box.refused(*argv, status=status)
    assert error["code"] == code, error
    check_words(error)
    assert (box.nginx.served_sha256(), box.nginx.certificate.read_bytes(), box.nginx.key.read_bytes()) == before
    return error


# -- the CA ------------------------------------------------------------------------------------------------------------


def issuer(url: str, bundle: Path | None = None) -> str:
    trust = f'ca_bundle = "{bundle}"\n' if bundle else ""
    return f'[issuers.other]\ndirectory = "{url}"\nagree_tos = true\n{trust}'


ORDER = ("issue", "-d", "a.example.com", "--issuer", "other", "--target", "web")


def test_nobody_answers(shop: RealBox) -> None:
    """A directory where nobody listens."""
    shop.configure(issuer(f"https://localhost:{free_port()}/dir"))
    refused_and_unchanged(shop, *ORDER, code="directory-unreachable")


def test_the_name_does_not_exist(shop: RealBox) -> None:
    """A directory whose host name does not resolve."""
    shop.configure(issuer("https://ca.invalid/dir"))
    refused_and_unchanged(shop, *ORDER, code="directory-unreachable")


def test_a_stranger_answers(shop: RealBox) -> None:
    """A directory whose own certificate nobody vouches for: the error names the setting that would trust it."""
    shop.configure(issuer(shop.pebble.directory_url))
    error = refused_and_unchanged(shop, *ORDER, code="directory-untrusted")
    assert "ca_bundle" in error["fix"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(b"<html><title>Captive portal</title></html>", "directory-invalid", id="html"),
        pytest.param(b"{}", "directory-invalid", id="empty-object"),
        pytest.param(b"[]", "directory-invalid", id="list"),
        pytest.param(b'{"newNonce": 3}', "directory-invalid", id="wrong-types"),
        pytest.param(b"\xff\xfe", "directory-invalid", id="no-text"),
        pytest.param(b"", "directory-invalid", id="nothing"),
    ],
)
def test_something_else_answers(shop: RealBox, authority: Authority, tmp_path: Path, body: bytes, code: str) -> None:
    """A directory that answers with something that is no ACME directory."""
    bundle = tmp_path / "root.pem"
    bundle.write_bytes(authority.root_pem)
    with serving(http_answer(body=body), authority.leaf(["localhost"]), tmp_path) as service:
        shop.configure(issuer(f"https://localhost:{service.port}/dir", bundle))
        refused_and_unchanged(shop, *ORDER, code=code)


def test_terms_that_nobody_agreed_to(shop: RealBox, fresh_name: FreshName) -> None:
    """Without agreement the error shows where the terms are and names --agree-tos; with it the order goes through (CC-05)."""
    shop.configure(agree=False)
    order = ("issue", "-d", fresh_name("terms"), "--name", "terms", "--target", "web")
    error = refused_and_unchanged(shop, *order, code="terms-not-agreed")
    assert error["details"]["terms_of_service"].startswith(("http://", "https://", "data:"))
    assert "--agree-tos" in error["fix"]
    assert shop.done(*order, "--agree-tos")["state"] == "issued"


def test_an_account_that_must_be_bound(
    home: Path, pebbles: Callable[..., PebbleServer], nginx: NginxServer, fresh_name: FreshName
) -> None:
    """A CA that wants an external account binding: said, then given, then issued; the key is nowhere in plain (CC-06)."""
    hmac = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
    box = RealBox(home, pebbles(eab_keys={"kid-1": hmac}), nginx)
    order = ("issue", "-d", fresh_name("eab"), "--name", "eab", "--target", "web")
    error = refused_and_unchanged(box, *order, code="eab-required")
    assert "account eab" in error["fix"]
    given = box.run("account", "eab", "ca", "--kid", "kid-1", "--hmac", "-", stdin=f"{hmac}\n".encode())
    assert given.status == 0, given.err
    assert box.done(*order)["state"] == "issued"
    assert hmac not in given.out + given.err
    for path in home.rglob("*"):
        if path.is_file():
            assert hmac.encode() not in path.read_bytes(), path


def test_a_refused_validation(shop: RealBox, fresh_name: FreshName) -> None:
    """A name that the CA cannot reach: the error has the CA's own words and the name."""
    name = fresh_name("refused")
    shop.pebble.set_servfail(name)
    error = refused_and_unchanged(shop, "issue", "-d", name, "--target", "web", code="authorization-failed")
    assert name in error["what"] + error["why"]
    assert error["details"]


CANNOT_WORK: list[tuple[list[str], str]] = [
    (["-d", ""], "usage"),
    (["-d", "a b..c"], "bad-identifier"),
    (["-d", "a/../../etc.example.com"], "bad-identifier"),
    (["-d", "a_b.example.com"], "bad-identifier"),
    (["-d", f"{'a' * 64}.example.com"], "bad-identifier"),
    (["-d", ".".join(["abcdefgh"] * 40)], "bad-identifier"),
    (["-d", "\u2028.example.com"], "bad-identifier"),
    (["-d", "\udcff.example.com"], "bad-identifier"),
    (["-d", "*.example.com"], "usage"),
    (["-d", "a.example.com", "--name", "../evil"], "bad-lineage-name"),
    (["-d", "a.example.com", "--name", ""], "usage"),
    (["-d", "a.example.com", "--issuer", "nobody"], "not-found"),
    (["-d", "a.example.com", "--target", "nothing"], "not-found"),
    (["-d", "a.example.com", "--key-type", "ec-255"], "usage"),
    (["-d", "a.example.com", "--challenge", "smoke-01"], "usage"),
]


def test_requests_that_cannot_work(shop: RealBox) -> None:
    """Bad names and unknown words are refused with 2, or 1 for what is not found, before anybody is asked."""
    orders = shop.pebble.log.count("order-plz")
    found = []
    for argv, _ in CANNOT_WORK:
        answer = shop.run("issue", *argv, "--json")
        check_words(answer.error)
        found.append((argv, answer.error["code"], answer.status))
        assert "Traceback" not in answer.err
    assert found == [(argv, code, 1 if code == "not-found" else 2) for argv, code in CANNOT_WORK]
    assert shop.pebble.log.count("order-plz") == orders
    assert [each["name"] for each in shop.done("status")["certificates"]] == ["shop"]


# -- the port ----------------------------------------------------------------------------------------------------------


def test_the_port_is_taken(shop: RealBox, fresh_name: FreshName) -> None:
    """A port that another program holds: the error names the program (SF-03, SF-07)."""
    with socket.create_server(("127.0.0.1", shop.pebble.http01_port)):
        error = refused_and_unchanged(
            shop, "issue", "-d", fresh_name("port"), "--target", "web", code="port-unavailable"
        )
    assert str(shop.pebble.http01_port) in error["what"] + error["why"]
    assert str(os.getpid()) in error["why"] + str(error["details"])


# -- the disk ----------------------------------------------------------------------------------------------------------


def _without_privileges() -> list[str]:
    """Return the program that makes root obey file modes; everybody else does already."""
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []


def _make_read_only(folder: Path) -> list[Path]:
    folders = [path for path in [folder, *folder.rglob("*")] if path.is_dir() and not path.is_symlink()]
    for path in folders:
        path.chmod(0o500)
    return folders


def test_a_disk_that_cannot_be_written(shop: RealBox) -> None:
    """On a read-only disk changes are refused with the path, and looking still works."""
    folders = _make_read_only(shop.home)
    try:
        renewed = shop.run("--renew", "shop", "--force", "--json", before=_without_privileges())
        deleted = shop.run("delete", "shop", "--yes", "--force", "--json", before=_without_privileges())
        looked = shop.run("status", "--json", before=_without_privileges())
    finally:
        for path in folders:
            path.chmod(0o700)
    assert (renewed.status, deleted.status, looked.status) == (1, 1, 0)
    for error in (renewed.json["failed"][0]["error"], deleted.error):
        assert error["code"] == "store-not-writable"
        check_words(error)
        assert str(shop.home) in error["what"] + error["why"]
    assert len(looked.json["certificates"]) == 1
    shop.serves("shop")


@pytest.mark.parametrize("blocks", [0, 1, 2, 8])
def test_a_disk_that_takes_no_more(shop: RealBox, blocks: int) -> None:
    """When files cannot grow any more a renewal fails in words, and what was live is live (blocks of 512 bytes)."""
    before = shop.certificate("shop")["sha256"]
    limited = ["/bin/sh", "-c", f'ulimit -f {blocks}; exec "$@"', "sh"]
    answer = shop.run("--renew", "shop", "--force", "--json", before=limited)
    assert "Traceback" not in answer.err
    if answer.status == 0:  # it all fitted
        assert answer.json["renewed"] == ["shop"]
        return
    error = answer.json["error"] if "error" in answer.json else answer.json["failed"][0]["error"]
    assert answer.status == 1
    assert error["code"].startswith("store-"), error
    check_words(error)
    assert shop.certificate("shop")["sha256"] == before
    assert shop.serves("shop") == before
    assert shop.done("--renew", "shop", "--force")["renewed"] == ["shop"]
    shop.serves("shop")


# -- the configuration -------------------------------------------------------------------------------------------------


def test_a_broken_configuration(shop: RealBox) -> None:
    """An unknown key names the nearest known one, and every problem of the file is in the one answer."""
    shop.configure('[http02]\nport = 80\n\n[console]\nmoose = true\nascii = "no"\n')
    for argv in (["status"], ["--renew"], ["issue", "-d", "a.example.com"]):
        error = refused_and_unchanged(shop, *argv, code="config-invalid", status=2)
        told = str(error)
        assert "http01" in told
        assert "mouse" in told
        assert "ascii" in told
    assert shop.run("status", "--check").status == 2


def test_a_configuration_that_is_no_toml(shop: RealBox) -> None:
    """A file that is no TOML is named with its line."""
    shop.configure("[unclosed\n")
    error = refused_and_unchanged(shop, "status", code="config-invalid", status=2)
    assert "certdeck.toml" in str(error)


def test_one_broken_lineage_file(shop: RealBox) -> None:
    """A broken lineage file stops neither the status nor the renewal of the others, and is a failure of the run."""
    (shop.home / "etc" / "certificates.d" / "broken.toml").write_text("domians = 3\n")
    status = shop.run("status", "--json")
    assert [each["name"] for each in status.json["certificates"]] == ["shop"]
    assert status.json["problems"][0]["lineage"] == "broken"
    run = shop.run("--renew", "--force", "--json")
    assert (run.status, run.json["renewed"]) == (1, ["shop"])
    (failed,) = run.json["failed"]
    assert (failed["name"], failed["error"]["code"]) == ("broken", "config-invalid")
    assert "domains" in str(failed["error"])
    assert shop.run("status", "--check").status == 2


@pytest.mark.parametrize(
    ("key", "code"),
    [
        pytest.param(None, "master-key-missing", id="missing"),
        pytest.param(b"\x00" * 44, "master-key-wrong", id="wrong"),
    ],
)
def test_the_master_key_is_gone(shop: RealBox, key: bytes | None, code: str) -> None:
    """Without the right master key nothing that needs a secret starts, and the status still shows."""
    path = shop.home / "etc" / "master.key"
    if key is None:
        path.unlink()
    else:
        path.chmod(0o600)
        path.write_bytes(key)
    answer = shop.run("--renew", "shop", "--force", "--json")
    error = answer.json["error"] if "error" in answer.json else answer.json["failed"][0]["error"]
    assert (answer.status, error["code"]) == (1, code)
    check_words(error)
    assert shop.certificate("shop")["targets"][0]["state"] == "deployed"
    shop.serves("shop")


# -- the service -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        pytest.param("test = [", 'test = ["/nowhere/nginx", ', "config-test-failed", id="test-is-not-there"),
        pytest.param("reload = [", 'reload = ["/bin/false", ', "reload-failed", id="reload-fails"),
        pytest.param(
            "reload = [", 'timeout_seconds = 1\nreload = ["/bin/sleep", "60", ', "reload-failed", id="reload-hangs"
        ),
        pytest.param("reload = [", 'reload = ["/bin/true", ', "probe-mismatch", id="reload-does-nothing"),
    ],
)
def test_a_service_that_does_not_take_it(shop: RealBox, old: str, new: str, code: str) -> None:
    """A test or reload that is missing, fails, hangs or does nothing: rolled back, served as before, and said (ST-41)."""
    config = shop.home / "etc" / "certdeck.toml"
    whole = config.read_text()
    before = shop.serves("shop")
    config.write_text(whole.replace(old, new).replace("probe =", "probe_timeout_seconds = 1\nprobe ="))
    answer = shop.run("--renew", "shop", "--force", "--json")
    (failed,) = answer.json["failed"]
    assert (answer.status, failed["error"]["code"]) == (1, code)
    check_words(failed["error"])
    assert shop.nginx.served_sha256() == before
    config.write_text(whole)
    assert shop.certificate("shop")["sha256"] == before
    assert shop.done("--renew")["renewed"] == ["shop"]
    assert shop.serves("shop") != before
