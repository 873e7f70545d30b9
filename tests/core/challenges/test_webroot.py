"""Token files below a web server's document root."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from core.acme.authorization import Challenge
from core.challenges.webroot import Webroot
from core.errors import ChallengeError
from core.ports import CancelToken
from tests.support.acme_client import Told
from tests.support.clock import FakeClock

PLACE = ".well-known/acme-challenge"
CHALLENGE = Challenge(
    identifier="shop.example.com",
    wildcard=False,
    type="http-01",
    status="pending",
    url="https://ca.test/challenge/1",
    token="tok_1-A",
    key_authorization="tok_1-A.thumb",
)
TOLD = Told(FakeClock())


@pytest.fixture
def strict_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.usefixtures("strict_umask")
def test_the_web_server_can_read_the_token(tmp_path: Path) -> None:
    """Files are 0644 and folders 0755 even under a strict umask, and the content is the key authorization (SO-22)."""
    with Webroot(tmp_path).present([CHALLENGE], TOLD.narrator, CancelToken()):
        file = tmp_path / PLACE / CHALLENGE.token
        assert file.read_text() == "tok_1-A.thumb"
        assert stat.S_IMODE(file.stat().st_mode) == 0o644
        for folder in (file.parent, file.parent.parent):
            assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """The token and the folders made for it are gone afterwards, also after a failure."""
    with pytest.raises(KeyError), Webroot(tmp_path).present([CHALLENGE], TOLD.narrator, CancelToken()):
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_other_peoples_files_stay(tmp_path: Path) -> None:
    """What was there before is there afterwards, with its folders."""
    (tmp_path / PLACE).mkdir(parents=True)
    (tmp_path / PLACE / "theirs").write_text("x")
    with Webroot(tmp_path).present([CHALLENGE], TOLD.narrator, CancelToken()):
        pass
    assert [path.name for path in (tmp_path / PLACE).iterdir()] == ["theirs"]


@pytest.mark.parametrize("there", [".well-known", PLACE])
def test_folders_that_were_there_stay_although_empty(tmp_path: Path, there: str) -> None:
    """An empty folder that an administrator made, with rights of its own perhaps, is not ours to remove."""
    (tmp_path / there).mkdir(parents=True)
    with Webroot(tmp_path).present([CHALLENGE], TOLD.narrator, CancelToken()):
        pass
    assert (tmp_path / there).is_dir()
    assert there == PLACE or not (tmp_path / PLACE).exists()


def test_orders_side_by_side_leave_each_other_the_folder(tmp_path: Path) -> None:
    """An order that ends, or cleans up after a killed run, does not remove the folder that another is about to write into."""
    webroot = Webroot(tmp_path)
    theirs = webroot.present([], TOLD.narrator, CancelToken())
    theirs.__enter__()  # it has made the folders and written nothing yet
    with webroot.present([CHALLENGE], TOLD.narrator, CancelToken()):
        pass
    webroot.remove([CHALLENGE.token])
    assert list((tmp_path / PLACE).iterdir()) == []
    theirs.__exit__(None, None, None)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    """Clean-up after a crash knows whole and unfinished files by their tokens, and raises nothing when there are none."""
    (tmp_path / PLACE).mkdir(parents=True)
    (tmp_path / PLACE / "tok_1-A").write_text("x")
    (tmp_path / PLACE / ".certdeck-tok_2").write_text("x")
    Webroot(tmp_path).remove(["tok_1-A", "tok_2", "never-there", "../../etc/passwd"])
    assert list(tmp_path.iterdir()) == []
    Webroot(tmp_path / "gone").remove(["tok_1-A"])


def test_a_link_that_waits_for_us_is_not_written_through(tmp_path: Path) -> None:
    """A symlink planted where our file goes is replaced, and its target untouched."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    root = tmp_path / "root"
    (root / PLACE).mkdir(parents=True)
    for name in (CHALLENGE.token, f".certdeck-{CHALLENGE.token}"):
        (root / PLACE / name).symlink_to(victim)
    with Webroot(root).present([CHALLENGE], TOLD.narrator, CancelToken()):
        assert not (root / PLACE / CHALLENGE.token).is_symlink()
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("token", ["../evil", "a/b", "", ".", "a b", "a\nb", "ä"])
def test_tokens_that_are_no_tokens_become_no_files(tmp_path: Path, token: str) -> None:
    """A token is base64url or refused: it never names another place."""
    challenge = msgspec.structs.replace(CHALLENGE, token=token)
    with (
        pytest.raises(ChallengeError),
        Webroot(tmp_path).present([challenge], TOLD.narrator, CancelToken()),
    ):
        pytest.fail("the token was taken")
    assert list(tmp_path.rglob("*evil*")) == []


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_a_webroot_that_is_no_folder_is_refused(tmp_path: Path, kind: str) -> None:
    """A missing webroot is said before anything is made."""
    root = tmp_path / "root"
    if kind == "file":
        root.write_text("x")
    with pytest.raises(ChallengeError) as caught, Webroot(root).present([CHALLENGE], TOLD.narrator, CancelToken()):
        pytest.fail("the webroot was taken")
    assert str(root) in caught.value.what


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """When the folder cannot be made, the system's reason is shown and nothing is left."""
    (tmp_path / ".well-known").write_text("a file where a folder should be")
    with pytest.raises(ChallengeError) as caught, Webroot(tmp_path).present([CHALLENGE], TOLD.narrator, CancelToken()):
        pytest.fail("it was written")
    assert "directory" in caught.value.why.lower()
