from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from core.config.model import TargetConfig
from core.errors import StageFailed
from core.foreign.attributes import Attributes
from core.foreign.untrusted import UntrustedPath
from core.foreign.walk import open_folder
from core.targets.change import Change
from core.targets.pair import release
from core.targets.survey import owns
from tests.support.changing import Changing, recovered

NEW = {"fullchain.pem": b"new certificate", "privkey.pem": b"new key", "chain.pem": b"new chain"}
NEWER = {"fullchain.pem": b"newer certificate", "privkey.pem": b"newer key", "chain.pem": b"newer chain"}


@pytest.fixture
def target(tmp_path: Path) -> TargetConfig:
    """A target without anything at its paths."""
    folder = tmp_path / "domains"
    folder.mkdir()
    return TargetConfig(name="web", certificate=str(folder / "domain.crt"), key=str(folder / "domain.key"))


def put(path: str, content: bytes, mode: int = 0o644) -> Path:
    file = Path(path)
    file.write_bytes(content)
    file.chmod(mode)
    return file


def old_pair(target: TargetConfig) -> None:
    put(target.certificate, b"old certificate", 0o644)
    put(target.key, b"old key", 0o640)


def shows(target: TargetConfig) -> tuple[bytes | None, bytes | None]:
    def content(path: str) -> bytes | None:
        return Path(path).read_bytes() if Path(path).exists() else None

    return content(target.certificate), content(target.key)


def deploy(target: TargetConfig, contents: dict[str, bytes]) -> Change:
    changing = Changing(target)
    changing.deploy(contents)
    return changing.change


def listing(folder: Path) -> dict[str, str]:
    """Everything below a folder: what it is, its mode, what it holds."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_dir():
            found[name] = "folder"
        else:
            found[name] = f"{path.stat().st_mode & 0o777:o} {path.read_bytes()!r}"
    return found


OLD = (b"old certificate", b"old key")
BOTH_NEW = (b"new certificate", b"new key")


def test_adopting_shows_the_same_at_every_moment(target: TargetConfig) -> None:
    """Staging and adopting an existing pair changes nothing that a service reads."""
    old_pair(target)
    change = Changing(target)
    change.stage(NEW)
    assert shows(target) == OLD
    change.adopt()
    assert shows(target) == OLD
    change.switch()
    assert shows(target) == BOTH_NEW


def test_second_deployment_is_one_rename(target: TargetConfig) -> None:
    """From the second deployment on the paths stay the links they are and only `current` moves."""
    old_pair(target)
    deploy(target, NEW)
    links = [os.lstat(path).st_ino for path in (target.certificate, target.key)]
    change = Changing(target)
    assert not change.change.has_snapshot
    change.stage(NEWER)
    change.adopt()
    assert shows(target) == BOTH_NEW
    change.switch()
    assert shows(target) == (b"newer certificate", b"newer key")
    assert [os.lstat(path).st_ino for path in (target.certificate, target.key)] == links


def test_what_was_there_keeps_its_mode(target: TargetConfig) -> None:
    """Owner, group and mode of the files that were there go over to the new ones, again and again."""
    put(target.certificate, b"old certificate", 0o444)
    put(target.key, b"old key", 0o640)
    if os.geteuid() == 0:
        os.chown(target.key, 12, 34)
    before = [os.stat(path) for path in (target.certificate, target.key)]
    for contents in (NEW, NEWER):
        deploy(target, contents)
        after = [os.stat(path) for path in (target.certificate, target.key)]
        assert [(s.st_uid, s.st_gid, s.st_mode) for s in after] == [(s.st_uid, s.st_gid, s.st_mode) for s in before]


def test_new_files_are_closed(target: TargetConfig) -> None:
    """Where nothing was, the key is 0600 and the certificate 0644 whatever the umask."""
    mask = os.umask(0)
    try:
        deploy(target, NEW)
    finally:
        os.umask(mask)
    assert os.stat(target.key).st_mode & 0o777 == 0o600
    assert os.stat(target.certificate).st_mode & 0o777 == 0o644


def test_file_mode_is_for_a_new_key(target: TargetConfig) -> None:
    """`file_mode` sets the mode of a key that was not there before."""
    from msgspec.structs import replace

    deploy(replace(target, file_mode="0640"), NEW)
    assert os.stat(target.key).st_mode & 0o777 == 0o640


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_owner_and_group_are_for_new_files(target: TargetConfig) -> None:
    """`owner` and `group` say whose the files are that were not there before."""
    from msgspec.structs import replace

    deploy(replace(target, owner="12", group="34"), NEW)
    for path in (target.certificate, target.key):
        assert (os.stat(path).st_uid, os.stat(path).st_gid) == (12, 34)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has folders of others to work in")
def test_the_folder_of_the_pair_stays_ours(target: TargetConfig) -> None:
    """In a folder of the service's account the pair's own folders belong to root, and the account can read through them."""
    parent = Path(target.certificate).parent
    os.chown(parent, 65534, 65534)
    parent.chmod(0o700)
    deploy(target, NEW)
    folders = [path for path in parent.rglob("*") if path.is_dir() and not path.is_symlink()]
    assert sorted(folder.name for folder in folders) == [".certdeck-web", "0", "1"]
    for folder in folders:
        status = folder.stat()
        assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (0, 65534, 0o755)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_link_put_in_the_place_of_a_new_folder_gains_nothing(tmp_path: Path) -> None:
    """Whoever swaps the folder while it is filled gets neither another folder's owner and mode changed nor a file put there."""
    victim, like, path = tmp_path / "victim", tmp_path / "like", tmp_path / "new"
    victim.mkdir(mode=0o700)
    like.mkdir(mode=0o755)
    os.chown(like, 65534, 65534)
    with open_folder(like) as above, open_folder(tmp_path) as folder, folder.make_folder("new") as opened:
        path.rename(tmp_path / "away")
        path.symlink_to(victim)
        opened.write_new("privkey.pem", b"key", Attributes(mode=0o600))
        opened.open_like(above)
    status = victim.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (0, 0, 0o700)
    assert list(victim.iterdir()) == []


def test_a_link_in_the_place_of_our_folder_is_refused(target: TargetConfig, tmp_path: Path) -> None:
    """Nothing is written through a link that somebody put where the folder of the pair belongs."""
    (tmp_path / "elsewhere").mkdir()
    (Path(target.certificate).parent / ".certdeck-web").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StageFailed, match="are not usable") as caught:
        Changing(target)
    assert "a symbolic link is in the place" in caught.value.why
    assert "remove it" in caught.value.fix
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_unknown_owner_is_refused(target: TargetConfig) -> None:
    """An owner that the machine does not have is named, and nothing appears at the paths."""
    from msgspec.structs import replace

    wrong = replace(target, owner="no-such-account")
    change = Changing(wrong)
    with pytest.raises(StageFailed) as caught:
        change.stage(NEW)
    assert "no-such-account" in caught.value.why
    change.put_back()
    assert listing(Path(target.certificate).parent) == {}


def test_a_key_does_not_become_readable_by_moving(tmp_path: Path) -> None:
    """A world-readable key in a closed folder is not copied into an open one with the same mode."""
    (tmp_path / "certs").mkdir(mode=0o755)
    (tmp_path / "private").mkdir(mode=0o700)
    target = TargetConfig(
        name="web", certificate=str(tmp_path / "certs/domain.crt"), key=str(tmp_path / "private/domain.key")
    )
    put(target.certificate, b"old certificate")
    put(target.key, b"old key", 0o644)
    change = Changing(target)
    change.stage(NEW)
    keys = list((tmp_path / "certs").rglob("privkey.pem"))
    assert len(keys) == 2
    assert {key.stat().st_mode & 0o007 for key in keys} == {0}
    change.adopt()
    change.put_back()
    assert listing(tmp_path) == {
        "certs": "folder",
        "certs/domain.crt": "644 b'old certificate'",
        "private": "folder",
        "private/domain.key": "644 b'old key'",
    }


def test_key_in_another_folder(tmp_path: Path) -> None:
    """Certificate and key in different folders, one of them reached through a link, still switch as one."""
    (tmp_path / "certs").mkdir()
    (tmp_path / "real/deep").mkdir(parents=True)
    (tmp_path / "private").symlink_to("real/deep")
    target = TargetConfig(
        name="web", certificate=str(tmp_path / "certs/domain.crt"), key=str(tmp_path / "private/domain.key")
    )
    old_pair(target)
    deploy(target, NEW)
    assert shows(target) == BOTH_NEW
    deploy(target, NEWER)
    assert shows(target) == (b"newer certificate", b"newer key")


@pytest.mark.parametrize("mode", ["link", "copy"])
@pytest.mark.parametrize("there", ["both", "none", "certificate", "links", "dangling", "ours"])
@pytest.mark.parametrize("reached", ["planned", "staged", "adopted", "switched", "shown-old"])
@pytest.mark.parametrize("held", [True, False], ids=["at-once", "later"])
def test_going_back_restores_everything(tmp_path: Path, mode: str, there: str, reached: str, held: bool) -> None:
    """From each stage of a change `put_back` restores every file, link, mode and folder, at once or in a later run (ST-41)."""
    folder = tmp_path / "domains"
    folder.mkdir()
    target = TargetConfig(
        name="web",
        certificate=str(folder / "domain.crt"),
        key=str(folder / "domain.key"),
        chain=str(folder / "chain.crt"),
        mode=mode,
    )
    if there in ("both", "certificate"):
        put(target.certificate, b"old certificate", 0o640)
    if there == "both":
        put(target.key, b"old key", 0o400)
    if there in ("links", "dangling"):
        Path(target.certificate).symlink_to("../archive/cert3.pem")
        Path(target.key).symlink_to("../archive/key3.pem")
    if there == "links":
        (tmp_path / "archive").mkdir()
        put(str(tmp_path / "archive/cert3.pem"), b"old certificate")
        put(str(tmp_path / "archive/key3.pem"), b"old key", 0o600)
    if there == "ours":
        deploy(target, NEWER)
    before = listing(tmp_path)

    change = Changing(target)
    steps = {
        "staged": lambda: change.stage(NEW),
        "adopted": lambda: change.adopt(),
        "switched": lambda: change.switch(),
        "shown-old": lambda: change.show_old(),
    }
    for name, step in steps.items():
        if reached == "planned":
            break
        step()
        if name == reached:
            break
    if reached == "switched":
        assert shows(target) == BOTH_NEW
    if held:
        change.put_back()
        assert listing(tmp_path) == before
    for _ in range(2):
        recovered(change.change, target).put_back()
        assert listing(tmp_path) == before


def _changes(raw: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a change's record with each of its values made odd."""
    odd: list[Any] = [None, 7, -1, 10**30, "", "..", "../../etc", "/etc", "a\0b", "²", [], {}, [["x"]], True, 1.5]
    made = [
        {**raw, key: value} for key in raw for value in odd if value != raw[key] or type(value) is not type(raw[key])
    ]
    for number, place in enumerate(raw["places"]):
        for key in place:
            for value in odd:
                places = [dict(each) for each in raw["places"]]
                places[number][key] = value
                made.append({**raw, "places": places})
    return [*made, {**raw, "places": raw["places"][:1]}, {**raw, "places": raw["places"] * 2}, {}]


def test_a_changed_record_leads_to_no_file_of_others(target: TargetConfig, tmp_path: Path) -> None:
    """Whatever somebody makes of a record, undoing it touches the target's own paths and folder, or it is refused."""
    folder = Path(target.certificate).parent
    (tmp_path / "others").mkdir()
    put(str(tmp_path / "others" / "domain.crt"), b"foreign")
    deploy(target, NEW)
    change = Changing(target)
    change.stage(NEWER)
    change.switch()
    raw = json.loads(json.dumps(change.change.as_json()))
    for number, changed in enumerate(_changes(raw)):
        copy = tmp_path / f"{number}"
        shutil.copytree(folder, copy, symlinks=True)
        moved = replace(target, certificate=str(copy / "domain.crt"), key=str(copy / "domain.key"))
        text = json.dumps(changed).replace(str(folder), str(copy))
        outside = listing(tmp_path / "others")
        try:
            recorded = Change.from_json(json.loads(text), moved)
        except (KeyError, TypeError, ValueError):
            continue
        assert {place.path for place in recorded.places} == {copy / "domain.crt", copy / "domain.key"}
        assert recorded.folder == copy / ".certdeck-web"
        assert recorded.before.isdigit()
        assert recorded.after.isdigit()
        with suppress(OSError):
            recovered(recorded, moved).put_back()
        assert listing(tmp_path / "others") == outside


@pytest.mark.parametrize("step", [Changing.put_back, Changing.settle, Changing.show_old])
def test_a_link_in_the_place_of_our_folder_is_not_followed(
    target: TargetConfig, tmp_path: Path, step: Callable[[Changing], None]
) -> None:
    """Undoing or ending a deployment cleared folders away wherever a link led that somebody had put there meanwhile."""
    deploy(target, NEW)
    change = Changing(target)
    change.stage(NEWER)
    theirs = tmp_path / "theirs"
    for number in range(4):
        (theirs / str(number)).mkdir(parents=True)
    shutil.rmtree(change.change.folder)
    change.change.folder.symlink_to(theirs)
    with pytest.raises(UntrustedPath, match="a symbolic link is in the place"):
        step(recovered(change.change, target))
    with suppress(FileNotFoundError):
        step(change)  # the folder that it holds open is gone
    assert sorted(path.name for path in theirs.iterdir()) == ["0", "1", "2", "3"]


@pytest.mark.parametrize("now", ["the same", "other paths", "none"])
def test_the_paths_of_a_record_are_a_targets_own(target: TargetConfig, now: str) -> None:
    """A record's paths are the target's when the configuration says so, or when certdeck's own links are there."""
    old_pair(target)
    other = replace(target, certificate=target.certificate + ".new", key=target.key + ".new")
    configured = {"the same": target, "other paths": other, "none": None}[now]
    assert owns(target, configured) is (now == "the same")
    deploy(target, NEW)
    assert owns(target, configured)


def test_an_administrators_links_are_taken_over(tmp_path: Path) -> None:
    """Links that somebody set by hand, certbot's for example, are replaced; what they pointed to is left alone (SO-06)."""
    (tmp_path / "archive").mkdir()
    cert = put(str(tmp_path / "archive/cert3.pem"), b"old certificate")
    key = put(str(tmp_path / "archive/key3.pem"), b"old key", 0o600)
    (tmp_path / "live").mkdir()
    target = TargetConfig(
        name="web", certificate=str(tmp_path / "live/fullchain.pem"), key=str(tmp_path / "live/privkey.pem")
    )
    Path(target.certificate).symlink_to("../archive/cert3.pem")
    Path(target.key).symlink_to("../archive/key3.pem")
    deploy(target, NEW)
    assert shows(target) == BOTH_NEW
    assert (cert.read_bytes(), key.read_bytes()) == OLD
    assert (tmp_path / "live/.certdeck-web/0/privkey.pem").read_bytes() == b"old key"


def test_a_path_replaced_from_outside_is_adopted_anew(target: TargetConfig) -> None:
    """When an editor put a plain file in the place of our link, the next deployment keeps it for going back."""
    old_pair(target)
    deploy(target, NEW)
    Path(target.key).unlink()
    put(target.key, b"edited key", 0o600)
    before = listing(Path(target.certificate).parent)
    change = Changing(target)
    change.stage(NEWER)
    change.adopt()
    assert shows(target) == (b"new certificate", b"edited key")
    change.switch()
    assert shows(target) == (b"newer certificate", b"newer key")
    change.put_back()
    assert listing(Path(target.certificate).parent) == before


def test_old_pairs_do_not_pile_up(target: TargetConfig) -> None:
    """Our own old keys do not stay beside the certificate; what was there before us stays for one more deployment."""
    old_pair(target)
    folder = Path(target.certificate).parent / ".certdeck-web"
    deploy(target, NEW)
    assert sorted(os.listdir(folder)) == [".target", "0", "1", "current"]
    deploy(target, NEWER)
    assert sorted(os.listdir(folder)) == [".target", "2", "current"]
    deploy(target, NEW)
    assert sorted(os.listdir(folder)) == [".target", "3", "current"]


def test_copy_mode_leaves_plain_files(tmp_path: Path, target: TargetConfig) -> None:
    """With `mode = "copy"` the paths are plain files, with the mode they had, and no key lies about beside them."""
    from msgspec.structs import replace

    old_pair(target)
    for contents, expected in ((NEW, BOTH_NEW), (NEWER, (b"newer certificate", b"newer key"))):
        deploy(replace(target, mode="copy"), contents)
        assert shows(target) == expected
    assert listing(tmp_path / "domains") == {
        ".certdeck-web": "folder",
        ".certdeck-web/.target": "644 b'web'",
        "domain.crt": "644 b'newer certificate'",
        "domain.key": "640 b'newer key'",
    }


@pytest.mark.parametrize(("first", "second"), [("link", "copy"), ("copy", "link")])
def test_the_mode_can_be_changed(target: TargetConfig, first: str, second: str) -> None:
    """A target goes from links to copies and from copies to links with its next deployment."""
    from msgspec.structs import replace

    deploy(replace(target, mode=first), NEW)
    deploy(replace(target, mode=second), NEWER)
    assert shows(target) == (b"newer certificate", b"newer key")
    assert Path(target.certificate).is_symlink() == (second == "link")


@pytest.mark.parametrize("mode", ["link", "copy"])
def test_release_leaves_the_service_with_plain_files(tmp_path: Path, target: TargetConfig, mode: str) -> None:
    """A target that is forgotten keeps what it serves, as plain files with their modes, and our folder goes."""
    from msgspec.structs import replace

    target = replace(target, mode=mode)
    old_pair(target)
    deploy(target, NEW)
    for _ in range(2):
        release(target)
        assert listing(tmp_path / "domains") == {"domain.crt": "644 b'new certificate'", "domain.key": "640 b'new key'"}


@pytest.mark.parametrize("wrong", ["folder", "device", "no-parent"])
def test_places_that_cannot_carry_a_file(tmp_path: Path, wrong: str) -> None:
    """A folder or device at the path, or no folder to write into, is refused with what to do and nothing is made."""
    paths = {"folder": tmp_path / "dir", "device": Path("/dev/null"), "no-parent": tmp_path / "missing/domain.crt"}
    (tmp_path / "dir").mkdir()
    before = listing(tmp_path)
    with pytest.raises(StageFailed) as caught:
        Changing(TargetConfig(name="web", certificate=str(paths[wrong]), key=str(tmp_path / "domain.key")))
    assert caught.value.details["target"] == "web"
    assert caught.value.fix
    assert listing(tmp_path) == before
