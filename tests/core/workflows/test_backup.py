"""A backup of a whole box, and what a restore on the same or another box makes of it."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from msgspec.structs import replace

from core.engine import Engine
from core.errors import (
    AlreadyThere,
    BackupInvalid,
    BackupLocked,
    BackupTooNew,
    Cancelled,
    CertdeckError,
    NotFound,
    UsageError,
    VaultError,
)
from core.paths import Paths
from core.ports import CancelToken
from core.store import archive, backup_record
from core.store.sealed_stream import Lock, Sealer
from core.store.vault import Vault
from core.upload.values import CsrRequest
from core.workflows.keeping.backup_manifest import Manifest, to_bytes
from tests.support.appliance import CONFIG, Appliance
from tests.support.clock import NOON

SECRET = b"correct horse battery staple"


def tree(folder: Path) -> dict[str, str]:
    """Return every path with its mode, and its content or where it leads to."""
    found = {}
    for path in sorted(folder.rglob("*")):
        mode = f"{stat.S_IMODE(path.lstat().st_mode):o}"
        said = os.readlink(path) if path.is_symlink() else "" if path.is_dir() else path.read_bytes().hex()
        found[str(path.relative_to(folder))] = f"{mode} {said}"
    return found


def kept(box: Appliance) -> dict[str, str]:
    """Return what a backup of the box has to bring back."""
    whole = {f"etc/{name}": said for name, said in tree(box.paths.etc).items()}
    whole |= {f"state/{name}": said for name, said in tree(box.paths.state).items()}
    left_out = ("state/history.", "state/index.json", "state/transactions", "state/backup.json", "state/clock.json")
    aside = ("etc/replaced-", "state/replaced-")
    return {name: said for name, said in whole.items() if not name.startswith((*left_out, *aside))}


@pytest.fixture
def box(tmp_path: Path) -> Appliance:
    """A box with accounts, two certificates with old versions, and a signing request."""
    box = Appliance(tmp_path / "box")
    box.issue("shop.example.com", name="shop")
    box.issue("mail.example.com", name="mail")
    box.engine.renew(["shop"], force=True)
    box.engine.make_csr(CsrRequest("bought", ["bought.example.com"]))
    (box.paths.etc / "certdeck.toml").chmod(0o644)
    (box.paths.etc / "notes").mkdir(mode=0o750)
    (box.paths.etc / "notes" / "large").write_bytes(os.urandom(300_000))
    return box


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "box.backup"


def empty_box(folder: Path) -> Appliance:
    box = Appliance(folder)
    box.paths.config.unlink()
    return box


def test_another_box_becomes_the_same(box: Appliance, file: Path, tmp_path: Path) -> None:
    """Every file, mode and live link but the log's is on the other box after the restore, and `status` and `--renew` work there."""
    box.engine.backup(file, passphrase=SECRET)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    other = empty_box(tmp_path / "other")
    done = other.engine.restore(file, passphrase=SECRET)
    assert done.applied
    assert done.certificates == 2
    assert done.set_aside == ()
    assert kept(other) == kept(box)
    assert [each.name for each in other.engine.status().lineages] == ["mail", "shop"]
    assert Vault(other.paths, other.engine.env).check() is None
    other.ca = box.ca
    report = other.engine.renew(["shop"], force=True)
    assert report.renewed == ("shop",), report
    assert not backup_record.is_missing(other.paths)


def test_the_log_of_a_box_stays(box: Appliance, file: Path) -> None:
    """A restore over a box keeps its log, adds itself to it, and moves everything else aside."""
    box.engine.backup(file, passphrase=SECRET)
    before = kept(box)
    box.engine.delete("mail")
    entries = len(box.engine.log())
    with pytest.raises(AlreadyThere):
        box.engine.restore(file, passphrase=SECRET)
    done = box.engine.restore(file, passphrase=SECRET, replace=True)
    assert kept(box) == before
    assert len(box.engine.log()) > entries
    assert box.engine.verify_log()[1] is None
    assert {folder.parent.name for folder in done.set_aside} == {"etc", "state"}
    assert not (done.set_aside[1] / "live" / "mail").exists()


def test_a_dry_run_says_what_differs_and_changes_nothing(box: Appliance, file: Path, tmp_path: Path) -> None:
    """It names the other host, certificates that are added, gone, older or newer, accounts, missing folders and the timer."""
    box.configure('[targets.web]\ncertificate = "/nowhere/at/all.crt"\nkey = "/nowhere/at/all.key"\n')
    box.engine.backup(file, passphrase=SECRET)
    box.engine.delete("mail")
    box.issue("new.example.com", name="new")
    box.clock.advance(days=1)
    box.engine.renew(["shop"], force=True)
    box.host.hostname = "other.example.com"
    before = kept(box)
    done = box.engine.look_at_backup(file, passphrase=SECRET)
    assert kept(box) == before
    assert not done.applied
    assert done.needs_replace
    said = {(each.kind, each.name): each.state for each in done.differences}
    assert said == {
        ("hostname", ""): "changed",
        ("certificate", "mail"): "added",
        ("certificate", "new"): "removed",
        ("certificate", "shop"): "older",
        ("target", "web"): "missing-path",
        ("timer", ""): "absent",
    }
    ends = {each.name: each.text for each in done.differences if each.kind == "certificate"}
    assert ends["mail"] == "The certificate mail is only in the backup."
    assert re.fullmatch(
        r"The certificate shop in the backup is older: it expires on \d+ \w{3} \d{4}, the one here on \d+ \w{3} \d{4}\.",
        ends["shop"],
    )


def test_what_was_restored_is_said_as_done(box: Appliance, file: Path) -> None:
    """After a restore the differences say what has become of each certificate, not what would."""
    box.engine.backup(file, passphrase=SECRET)
    box.engine.delete("mail")
    box.issue("new.example.com", name="new")
    done = box.engine.restore(file, passphrase=SECRET, replace=True)
    said = {each.name: each.text for each in done.differences if each.kind == "certificate"}
    assert said["mail"] == "The certificate mail was restored. It was not on this box."
    assert said["new"] == "The certificate new is not in the backup. Its files were moved aside."


def test_sealed_to_a_key(box: Appliance, file: Path, tmp_path: Path) -> None:
    """A backup to a public key opens with its private key alone."""
    private, stranger = X25519PrivateKey.generate(), X25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    pems = [key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) for key in (private, stranger)]
    box.engine.backup(file, to_key=public)
    other = empty_box(tmp_path / "other")
    with pytest.raises(BackupLocked):
        other.engine.restore(file, key=pems[1])
    with pytest.raises(BackupLocked):
        other.engine.restore(file, passphrase=SECRET)
    with pytest.raises(UsageError):
        other.engine.restore(file, key=b"-----BEGIN NOTHING-----")
    assert other.engine.restore(file, key=pems[0]).applied
    assert kept(other) == kept(box)
    with pytest.raises(UsageError):
        box.engine.backup(file, to_key=pems[0])


def test_what_does_not_open_changes_nothing(box: Appliance, file: Path, tmp_path: Path) -> None:
    """A wrong passphrase, a cut file, a changed byte anywhere and something else altogether are one clear error each."""
    box.engine.backup(file, passphrase=SECRET)
    whole = file.read_bytes()
    other = empty_box(tmp_path / "other")
    before = tree(tmp_path / "other")

    def refused(content: bytes, passphrase: bytes = SECRET) -> type[CertdeckError]:
        file.write_bytes(content)
        for act in (other.engine.look_at_backup, other.engine.restore):
            with pytest.raises(CertdeckError) as caught:
                act(file, passphrase=passphrase)
            # The lock and the log are made by every command.
            assert [name for name in tree(tmp_path / "other").keys() - before.keys() if "etc/" in name] == []
        assert not (other.paths.live / "shop").exists()
        return type(caught.value)

    assert refused(whole, b"wrong") is BackupLocked
    assert refused(b"") is BackupInvalid
    assert refused(b"PK\x03\x04 something else") is BackupInvalid
    for cut in (10, 18, 60, 200, 64 * 1024 + 300, len(whole) // 2, len(whole) - 1):
        assert refused(whole[:cut]) is BackupInvalid, cut
    for place in (0, 300, len(whole) // 2, len(whole) - 3):
        changed = bytearray(whole)
        changed[place] ^= 1
        assert refused(bytes(changed)) is BackupInvalid, place
    assert refused(whole + b"x") is BackupInvalid
    newer = bytearray(whole)
    newer[16] = 9
    assert refused(bytes(newer)).code == "backup-too-new"
    file.unlink()
    with pytest.raises(NotFound):
        other.engine.restore(file, passphrase=SECRET)


def test_settings_of_a_later_release_are_refused(box: Appliance, file: Path, tmp_path: Path) -> None:
    """A backup with settings that this release does not know is not put in place: the box could not be used afterwards."""
    box.configure("\n[later]\nx = 1\n")
    manifest = Manifest(version="99.0", made=NOON, hostname="later", key_source="file")
    with file.open("wb") as out:
        sealer = Sealer(lambda piece: out.write(piece) and None, Lock(passphrase=SECRET), box.random)
        archive.pack(sealer, box.paths, to_bytes(manifest))
    other = empty_box(tmp_path / "other")
    for act in (other.engine.look_at_backup, other.engine.restore):
        with pytest.raises(BackupTooNew, match=r"99\.0"):
            act(file, passphrase=SECRET)
    assert kept(other) == {}


def test_a_box_with_broken_settings_can_be_restored(box: Appliance, file: Path) -> None:
    """Settings that cannot be read are no reason not to replace them."""
    box.engine.backup(file, passphrase=SECRET)
    text = box.paths.config.read_bytes()
    box.paths.config.write_bytes(b"[later]\nx = 1\n")
    assert box.engine.restore(file, passphrase=SECRET, replace=True).applied
    assert box.paths.config.read_bytes() == text


def test_the_master_key_is_reminded_of_until_it_is_backed_up(tmp_path: Path, file: Path) -> None:
    """Status and doctor remind of a key that was never backed up, stop after a backup, and begin again with a new key (CC-27)."""
    box = Appliance(tmp_path / "box")
    assert not box.engine.status().never_backed_up
    box.issue("shop.example.com", name="shop")
    assert box.engine.status().never_backed_up
    finding = next(each for each in box.engine.doctor() if each.id == "backup")
    assert finding.status == "warn"
    box.engine.backup(file, passphrase=SECRET)
    assert not box.engine.status().never_backed_up
    assert next(each for each in box.engine.doctor() if each.id == "backup").status == "pass"
    box.engine.rotate_vault()
    assert box.engine.status().never_backed_up
    box.engine.backed_up_elsewhere()
    assert not box.engine.status().never_backed_up


def test_a_move_of_the_master_key_asks_for_a_backup_again(tmp_path: Path, file: Path) -> None:
    """Writing the key out, or a move that is refused, leaves the reminder off; a move that makes another key turns it on."""
    box = Appliance(tmp_path / "box")
    box.issue("shop.example.com", name="shop")
    box.engine.backed_up_elsewhere()
    box.engine.move_vault("credential", out=file)
    with pytest.raises(VaultError):
        box.engine.move_vault("passphrase")
    assert not box.engine.status().never_backed_up
    (tmp_path / "passphrase").write_text("correct horse")
    box.engine.env = replace(box.engine.env, variables={"CERTDECK_PASSPHRASE_FILE": str(tmp_path / "passphrase")})
    box.engine.move_vault("passphrase")
    assert box.engine.status().never_backed_up


def test_a_backup_goes_nowhere_odd(box: Appliance, file: Path) -> None:
    """It never lands in certdeck's own state, on a folder or on a link, and a failure leaves the former backup whole."""
    for place in (box.paths.state / "x", box.paths.etc / "x", box.paths.etc, Path("/")):
        with pytest.raises(UsageError):
            box.engine.backup(place, passphrase=SECRET)
    file.symlink_to(box.paths.config)
    with pytest.raises(UsageError):
        box.engine.backup(file, passphrase=SECRET)


def test_what_leads_out_is_not_followed(box: Appliance, file: Path, tmp_path: Path) -> None:
    """Links out of the state are left out and named; a settings file that is a link is taken with its content."""
    outside = tmp_path / "outside.toml"
    outside.write_bytes(box.paths.config.read_bytes())
    box.paths.config.unlink()
    box.paths.config.symlink_to(outside)
    (box.paths.state / "evil").symlink_to("/etc/passwd")
    os.mkfifo(box.paths.state / "pipe")
    done = box.engine.backup(file, passphrase=SECRET)
    assert done.skipped == (str(box.paths.state / "evil"), str(box.paths.state / "pipe"))
    other = empty_box(tmp_path / "other")
    other.engine.restore(file, passphrase=SECRET)
    assert not other.paths.config.is_symlink()
    assert other.paths.config.read_text().startswith(CONFIG)


def test_both_can_be_stopped(box: Appliance, file: Path, tmp_path: Path) -> None:
    """Somebody who asks to stop leaves the former backup, and a box as it was."""
    box.engine.backup(file, passphrase=SECRET)
    before = file.read_bytes()
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        box.engine.backup(file, passphrase=SECRET, cancel=cancel)
    assert file.read_bytes() == before
    other = empty_box(tmp_path / "other")
    with pytest.raises(Cancelled):
        other.engine.restore(file, passphrase=SECRET, cancel=cancel)
    assert kept(other) == {}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["box", "box.backup", "other"]


def test_a_lock_below_the_state_stays(box: Appliance, file: Path, tmp_path: Path) -> None:
    """For a user's own folders the lock lies below the state: neither backup nor restore touches it."""
    home = tmp_path / "user"
    paths = Paths(home / "etc", home / "state", home / "state" / "run", home / "state" / "log")
    engine = Engine(paths, box.engine.env)
    box.engine.backup(file, passphrase=SECRET)
    engine.restore(file, passphrase=SECRET)
    lock = paths.lock.stat().st_ino
    engine.backup(file, passphrase=SECRET)
    for _ in range(3):  # in the same second
        assert engine.restore(file, passphrase=SECRET, replace=True).applied
    assert len(list(paths.state.glob("replaced-*"))) == 3
    assert paths.lock.stat().st_ino == lock
    assert len(engine.status().lineages) == 2
