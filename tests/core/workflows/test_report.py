"""The file for a bug report: what is in it, and what must not be."""

from __future__ import annotations

import stat
import tarfile
from pathlib import Path

import pytest

from core.errors import UsageError
from core.store.vault import Vault
from tests.support.appliance import Appliance
from tests.support.command import process

PLANTED = {
    "vault": "vaultSecret-7f3a9b",
    "vault, short": "hunter2",
    "config": "configSecret",
    "comment": "commentSecret",
    "URL": "urlSecret",
    "query": "querySecret",
    "lineage": "lineageSecret",
    "debug log": "logSecret",
    "text": "textSecret",
    "known from settings": "configSecret",
}
PEM = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGplantedKeyMaterial0001\n-----END PRIVATE KEY-----\n"


def read(file: Path) -> dict[str, str]:
    with tarfile.open(file) as archive:
        members = archive.getmembers()
        assert all(member.isfile() and member.mode == 0o600 for member in members)
        return {
            member.name.removeprefix("certdeck-report/"): archive.extractfile(member).read().decode()
            for member in members
        }


@pytest.fixture
def box(tmp_path: Path) -> Appliance:
    """A box with a secret in every place where a user could have put one."""
    box = Appliance(tmp_path / "home")
    box.issue("shop.example.com", name="shop")
    vault = Vault(box.paths, box.engine.env)
    vault.put("dns/cloudflare/api_token", PLANTED["vault"].encode())
    vault.put("notify/mail/password", PLANTED["vault, short"].encode())
    box.configure(
        f"\n# old password: {PLANTED['comment']}\n"
        f'[issuers.own]\ndirectory = "https://me:{PLANTED["URL"]}@ca.example.com/dir?token={PLANTED["query"]}"\n'
        f'[dns_providers.p]\nkind = "dynu"\nsettings = {{ client_secret = "{PLANTED["config"]}" }}\n'
    )
    with (box.paths.certificates / "shop.toml").open("a") as file:
        file.write(f"# token = {PLANTED['lineage']}\n# {PEM.replace(chr(10), chr(10) + '# ')}\n")
    box.paths.log.mkdir(parents=True)
    box.paths.debug_log.write_text(
        f"Authorization: Bearer {PLANTED['debug log']}123\n{PEM}{PLANTED['vault']} {PLANTED['config']}\n"
    )
    return box


def test_no_secret_is_in_it(box: Appliance, tmp_path: Path) -> None:
    """Nothing that was planted in vault, settings, comments, URLs, logs or the status is in any file, nor is a key of the box."""
    out = tmp_path / "report.tar.gz"
    texts = {"status.txt": f"failed with api_key={PLANTED['text']} and {PLANTED['vault, short']}\n{PEM}"}
    names = box.engine.write_report(out, texts=texts)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    files = read(out)
    assert tuple(files) == names
    everything = "\n".join(files.values())
    for where, secret in PLANTED.items():
        assert secret not in everything, where
    assert "plantedKeyMaterial" not in everything
    assert box.paths.master_key.read_text().strip() not in everything
    key = (box.paths.live / "shop" / "privkey.pem").read_text()
    assert all(line not in everything for line in key.splitlines() if "-----" not in line)


def test_what_helps_is_in_it(box: Appliance, tmp_path: Path) -> None:
    """Versions, settings with comments, the log and the modes of files are there, and the look at the keys is in the log."""
    out = tmp_path / "report.tar.gz"
    box.engine.write_report(out, texts={"status.txt": "all well\n"})
    files = read(out)
    assert "cryptography " in files["versions.txt"]
    assert "msgspec " in files["versions.txt"]
    assert 'directory = "https://ca.test/directory"' in files["etc/certdeck.toml"]
    assert 'kind = "dynu"' in files["etc/certdeck.toml"]
    assert "shop.example.com" in files["etc/certificates.d/shop.toml"]
    assert '"kind": "certificate-issued"' in files["log.jsonl"]
    assert "0600" in files["files.txt"]
    assert files["status.txt"] == "all well\n"
    assert box.engine.log(limit=1)[0].kind == "key-used"
    with pytest.raises(UsageError):
        box.engine.write_report(box.paths.state / "x", texts={})


def test_a_broken_box_can_be_reported(home: Path, tmp_path: Path) -> None:
    """With settings that cannot be read and a lost master key there is a report all the same, which says so."""
    assert process("first-boot", "--hostname", "box.example.com", home=home).status == 0
    (home / "etc" / "certdeck.toml").write_text('[appliance\npassword = "openSecret"\n')
    out = tmp_path / "report.tar.gz"
    answer = process("report", "--out", str(out), "--json", home=home)
    assert answer.status == 0, answer.err
    assert answer.json["path"] == str(out)
    files = read(out)
    assert "config-invalid" in files["status.txt"]
    assert "openSecret" not in "".join(files.values())


def test_a_key_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    """A log that is cut in the middle of a private key shows none of its lines."""
    box = Appliance(tmp_path / "home")
    box.paths.log.mkdir(parents=True)
    line = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo0123456789\n"
    box.paths.debug_log.write_text(f"-----BEGIN PRIVATE KEY-----\n{line * 5000}-----END PRIVATE KEY-----\nafter\n")
    out = tmp_path / "report.tar.gz"
    box.engine.write_report(out, texts={})
    assert read(out)["debug.log"] == "after\n"
