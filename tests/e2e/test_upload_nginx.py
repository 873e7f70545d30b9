"""Uploads by command onto a real nginx: served, refused, and put back."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.authority import Authority, Leaf, key_pem, make_key
from tests.support.command import Answer, process
from tests.support.nginx import NginxServer
from tests.support.programs import find_program

pytestmark = pytest.mark.e2e

NAME = "shop.example.com"


class Site:
    """A running nginx, a box with it as its target, and a CA that the box trusts."""

    def __init__(self, home: Path, nginx: NginxServer, *, probe: str | None = None) -> None:
        self.home = home
        self.nginx = nginx
        self.authority = Authority.new("Purchased")
        self.files = home.parent / "files"
        self.files.mkdir(exist_ok=True)
        (self.files / "roots.pem").write_bytes(self.authority.root_pem)
        (home / "etc").mkdir(parents=True, exist_ok=True)
        text = nginx.target_toml("web")
        if probe is not None:
            text = text.replace(f'probe = "{nginx.address}"', f'probe = "{probe}"\nprobe_timeout_seconds = 1')
        (home / "etc" / "certdeck.toml").write_text(text)

    def run(self, *argv: str, stdin: bytes = b"") -> Answer:
        return process(*argv, home=self.home, env={"SSL_CERT_FILE": str(self.files / "roots.pem")}, stdin=stdin)

    def write(self, leaf: Leaf) -> list[str]:
        """Write certificate, key and chain, and return the options that name them."""
        for part, content in (("cert", leaf.certificate_pem), ("key", leaf.key_pem), ("chain", leaf.chain_pem)):
            (self.files / part).write_bytes(content)
        return [word for part in ("cert", "key", "chain") for word in (f"--{part}", str(self.files / part))]

    def bring(self, leaf: Leaf, *more: str) -> Answer:
        return self.run("import", NAME, *self.write(leaf), "--target", "web", "--json", *more)

    def leaf(self, **fields: Any) -> Leaf:
        return self.authority.leaf([NAME], **fields)

    def pair(self) -> tuple[bytes, bytes]:
        return self.nginx.certificate.read_bytes(), self.nginx.key.read_bytes()


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[NginxServer]:
    """An nginx with the pair that it was installed with."""
    server = NginxServer(tmp_path / "nginx")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def site(tmp_path: Path, nginx: NginxServer) -> Site:
    """That nginx as the target of a fresh box."""
    return Site(tmp_path / "home", nginx)


def test_an_upload_is_served(site: Site) -> None:
    """`import` ends with nginx serving certificate and chain; the next one replaces it, `rollback` brings it back (ST-32)."""
    first, second = site.leaf(), site.leaf()
    answer = site.bring(first)
    assert answer.status == 0, answer.out + answer.err
    assert answer.json["accepted"] is True
    [target] = answer.json["certificate"]["targets"]
    assert (target["name"], target["state"], target["served_sha256"]) == ("web", "deployed", first.sha256)
    assert site.nginx.served_sha256() == first.sha256
    assert site.pair()[0] == first.fullchain_pem
    assert site.bring(second).status == 0
    site.nginx.wait_served(second.sha256)
    assert site.run("rollback", NAME).status == 0
    site.nginx.wait_served(first.sha256)


def test_a_mismatching_pair_never_reaches_nginx(site: Site) -> None:
    """A key of another certificate is refused with exit status 1, and nginx keeps its files (ST-36, ST-40)."""
    before, served = site.pair(), site.nginx.served_sha256()
    options = site.write(site.leaf())
    (site.files / "key").write_bytes(key_pem(make_key()))
    answer = site.run("import", NAME, *options, "--target", "web", "--json")
    assert answer.status == 1
    assert answer.json["accepted"] is False
    assert [each["id"] for each in answer.json["checks"] if each["status"] == "fail"] == ["key-match"]
    assert site.pair() == before
    assert site.nginx.served_sha256() == served
    assert not (site.home / "state" / "live" / NAME).exists()


def test_a_failing_test_rolls_back(site: Site) -> None:
    """When nginx's own test fails the previous certificate is back in files and service, and the upload can be repeated (ST-41)."""
    first, second = site.leaf(), site.leaf()
    assert site.bring(first).status == 0
    site.nginx.break_config()
    answer = site.bring(second)
    assert answer.status == 1
    assert answer.error["code"] == "config-test-failed"
    assert "unknown directive" in answer.error["details"]["output"]
    assert site.pair()[0] == first.fullchain_pem
    assert site.nginx.served_sha256() == first.sha256
    site.nginx.mend_config()
    assert site.bring(second).status == 0
    site.nginx.wait_served(second.sha256)


def test_a_service_that_shows_the_old_one_rolls_back(tmp_path: Path, nginx: NginxServer) -> None:
    """When what is probed goes on showing another certificate, nginx gets its old pair back (ST-41)."""
    other = NginxServer(tmp_path / "other")
    other.start()
    try:
        site = Site(tmp_path / "home", nginx, probe=other.address)
        before, served = site.pair(), nginx.served_sha256()
        answer = site.bring(site.leaf())
        assert answer.status == 1
        assert answer.error["code"] == "probe-mismatch"
        assert site.pair() == before
        nginx.wait_served(served)
    finally:
        other.stop()


def test_a_pfx_from_openssl(site: Site) -> None:
    """A PFX in the cipher of old Windows is imported with its passphrase from a file, and from standard input (ST-35)."""
    leaf = site.leaf(key="rsa-2048")
    site.write(leaf)
    argv = [
        find_program("openssl"),
        "pkcs12",
        "-export",
        "-legacy",
        "-inkey",
        "key",
        "-in",
        "cert",
        "-certfile",
        "chain",
    ]
    subprocess.run(
        [*argv, "-passout", "pass:secret", "-out", "site.pfx"], check=True, cwd=site.files, capture_output=True
    )
    (site.files / "word").write_bytes(b"secret\n")
    pfx, word = str(site.files / "site.pfx"), str(site.files / "word")
    assert site.run("check", "--pfx", pfx, "--json").status == 1
    assert (
        site.run("check", "--pfx", "-", "--passphrase-file", word, stdin=(site.files / "site.pfx").read_bytes()).status
        == 0
    )
    answer = site.run(
        "import", NAME, "--pfx", pfx, "--passphrase-file", "-", "--target", "web", "--json", stdin=b"secret\n"
    )
    assert answer.status == 0, answer.out + answer.err
    site.nginx.wait_served(leaf.sha256)
    assert "secret" not in answer.out + answer.err
