"""The real certbot beside certdeck: what it had at a CA is taken over and renewed there, and certbot goes on working."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.pebble import PebbleServer
from tests.support.real_box import RealBox

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]

CERTBOT = os.environ.get("CERTBOT") or str(Path(__file__).parents[2] / ".interop/certbot/bin/certbot")


class Certbot:
    """certbot with folders of its own, at a CA of the test."""

    def __init__(self, folder: Path, pebble: PebbleServer) -> None:
        self.base = folder / "letsencrypt"
        self._folder = folder
        self._pebble = pebble

    def run(self, *argv: str) -> str:
        done = subprocess.run(
            [
                CERTBOT,
                *argv,
                "--non-interactive",
                *("--server", self._pebble.directory_url),
                *("--config-dir", str(self.base)),
                *("--work-dir", str(self._folder / "work"), "--logs-dir", str(self._folder / "logs")),
            ],
            check=False,
            capture_output=True,
            text=True,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self._folder),
                "REQUESTS_CA_BUNDLE": str(self._pebble.ca_pem),
            },
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def order(self, name: str, *domains: str, **given: str) -> None:
        port = str(self._pebble.http01_port)
        more = [word for key, value in given.items() for word in (f"--{key.replace('_', '-')}", value)]
        names = [word for domain in domains for word in ("-d", domain)]
        where = ("--http-01-address", "127.0.0.1", "--http-01-port", port)
        self.run(
            "certonly",
            "--standalone",
            "--agree-tos",
            "--register-unsafely-without-email",
            *where,
            *("--cert-name", name),
            *names,
            *more,
        )

    @property
    def account_url(self) -> str:
        (file,) = self.base.glob("accounts/**/regr.json")
        url: str = json.loads(file.read_text())["uri"]
        return url

    @property
    def state(self) -> dict[str, str]:
        """Return everything below its folder, by path."""
        files = [path for path in self.base.rglob("*") if path.is_file() or path.is_symlink()]
        return {
            str(path): os.readlink(path) if path.is_symlink() else hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
        }


@pytest.fixture
def certbot(tmp_path: Path, pebble: PebbleServer) -> Certbot:
    if not Path(CERTBOT).exists():
        pytest.fail(f"{CERTBOT} is not there: `make interop` fetches it")
    return Certbot(tmp_path / "certbot", pebble)


@pytest.fixture
def box(home: Path, pebble: PebbleServer) -> RealBox:
    made = RealBox(home, pebble, None)
    made.configure(agree=False)
    return made


def test_what_certbot_has_is_taken_over_and_renewed(
    certbot: Certbot, box: RealBox, fresh_name: Callable[[str], str]
) -> None:
    """Names, keys, account and hook of two certificates are read; both renew with certbot's account; its files stay as they are."""
    first, second = fresh_name("shop"), fresh_name("mail")
    certbot.order("shop", first, f"www.{first}", deploy_hook="systemctl reload nginx || true")
    certbot.order("mail", second, key_type="rsa", rsa_key_size="3072")
    before = certbot.state
    listed = {each["name"]: each for each in box.done("adopt", "--dir", str(certbot.base))["found"]}
    assert sorted(listed) == ["mail", "shop"]
    assert {each["issuer"] for each in listed.values()} == {"ca"}
    assert set(listed["shop"]["names"]) == {first, f"www.{first}"}
    assert (listed["shop"]["key_type"], listed["mail"]["key_type"]) == ("ec-256", "rsa-3072")
    assert listed["shop"]["account_url"] == certbot.account_url
    planned = box.done("adopt", "--dir", str(certbot.base), "--all", "--dry-run")["adopted"]
    assert any(certbot.account_url in step for each in planned for step in each["steps"])
    assert box.done("status")["certificates"] == []
    box.done("adopt", "--dir", str(certbot.base), "--all")
    assert [each["url"] for each in box.done("account", "list")["accounts"]] == [certbot.account_url]
    assert {each["name"]: each["sha256"] for each in box.done("status")["certificates"]} == {
        name: each["sha256"] for name, each in listed.items()
    }
    assert sorted(box.done("--renew", "--force")["renewed"]) == ["mail", "shop"]
    assert box.certificate("mail")["key_type"] == "rsa-3072"
    assert [each["url"] for each in box.done("account", "list")["accounts"]] == [certbot.account_url]
    assert certbot.state == before
    certbot.run("renew", "--force-renewal", "--no-random-sleep-on-renew")
    assert certbot.state != before, "certbot goes on as before"


def test_an_account_that_certbot_gave_up_is_said_beforehand(
    certbot: Certbot, box: RealBox, fresh_name: Callable[[str], str]
) -> None:
    """From a copy of certbot's folder, made before `certbot unregister`: the key is left, and the dry run says why already."""
    certbot.order("shop", fresh_name("shop"))
    copy = certbot.base.parent / "copy"
    shutil.copytree(certbot.base, copy, symlinks=True)
    certbot.run("unregister")
    for more in (["--dry-run"], []):
        [done] = box.done("adopt", "--dir", str(copy), "shop", *more)["adopted"]
        [said] = [line for line in done["left"] if "account key" in line]
        assert "was not imported" in said
        assert "certdeck issuer agree ca" in said
    assert box.done("account", "list")["accounts"] == []
    box.done("issuer", "agree", "ca")
    box.done("--renew", "shop", "--force")
