"""A certificate of another client, taken over and renewed at the same CA with the same account."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from josepy import jwk

from tests.support.pebble import PebbleServer
from tests.support.real_box import RealBox

pytestmark = pytest.mark.e2e


def _account_key(home: Path) -> bytes:
    from core.paths import paths_for
    from core.store.accounts import list_accounts
    from core.store.vault import Vault
    from tests.support.boxes import the_environment

    paths = paths_for({"CERTDECK_HOME": str(home)}, 0)
    return Vault(paths, the_environment()).get(list_accounts(paths)[0].key_record)


def _as_certbot(base: Path, box: RealBox, name: str) -> None:
    """Lay out a certificate with its account as certbot does."""
    from urllib.parse import urlsplit

    live = box.home / "state/live" / name
    archive, links = base / "archive" / name, base / "live" / name
    archive.mkdir(parents=True)
    links.mkdir(parents=True)
    for kind in ("cert", "chain", "fullchain", "privkey"):
        (archive / f"{kind}1.pem").write_bytes((live / f"{kind}.pem").read_bytes())
        os.symlink(f"../../archive/{name}/{kind}1.pem", links / f"{kind}.pem")
    server = urlsplit(box.pebble.directory_url)
    account = base.joinpath("accounts", server.netloc, *server.path.strip("/").split("/"), "c371e258")
    account.mkdir(parents=True)
    key = jwk.JWK.load(_account_key(box.home))
    (account / "private_key.json").write_text(json.dumps(key.to_json()))
    (account / "regr.json").write_text(json.dumps({"body": {}, "uri": "https://elsewhere.example/1"}))
    (base / "renewal").mkdir()
    (base / "renewal" / f"{name}.conf").write_text(
        f"version = 5.8.0\narchive_dir = {archive}\n[renewalparams]\naccount = c371e258\nauthenticator = standalone\n"
        f"server = {box.pebble.directory_url}\nkey_type = ecdsa\nrenew_hook = 'systemctl reload nginx'\n"
    )


def test_adopted_and_renewed(home: Path, pebble: PebbleServer, fresh_name: Callable[[str], str]) -> None:
    """What another client has had at a CA is taken over and renewed there with the same account, without agreeing again."""
    theirs = RealBox(home, pebble, None)
    theirs.done("issue", "-d", fresh_name("shop"), "--name", "shop")
    [account] = theirs.done("account", "list")["accounts"]
    base = home.parent / "letsencrypt"
    _as_certbot(base, theirs, "shop")

    box = RealBox(home.parent / "second", pebble, None)
    box.configure(agree=False)
    [found] = box.done("adopt", "--dir", str(base))["found"]
    assert (found["name"], found["issuer"], found["state"]) == ("shop", "ca", "new")
    assert box.done("adopt", "--dir", str(base), "shop", "--dry-run")["adopted"][0]["version"] is None
    assert box.done("status")["certificates"] == []
    done = box.done("adopt", "--dir", str(base), "shop")
    assert [each["version"] for each in done["adopted"]] == [1]
    before = box.certificate("shop")
    assert before["sha256"] == found["sha256"]
    box.done("--renew", "shop", "--force")
    assert box.certificate("shop")["sha256"] != before["sha256"]
    assert [each["url"] for each in box.done("account", "list")["accounts"]] == [account["url"]]
    refused = box.run("adopt", "--dir", str(base), "shop", "--json")
    assert refused.status == 1
    assert [each["code"] for each in refused.json["failed"]] == ["already-there"]
