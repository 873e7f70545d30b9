"""Which links and files are taken at their word in a folder that another account can write in."""

from __future__ import annotations

import ctypes
import os
import signal
import stat
import struct
from contextlib import suppress
from pathlib import Path

import pytest

from core.foreign.attributes import ACCESS_LIST, Attributes, attributes_of, closed_like
from core.foreign.trust import Level
from core.foreign.untrusted import UntrustedPath
from core.foreign.walk import Shown, descend, look_through, open_folder
from tests.support.hostile import ACCOUNT, at_call

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has folders of others to work in")
OTHER = ACCOUNT + 1
PR_SET_DUMPABLE = 4


def owned(path: Path, uid: int) -> Path:
    os.chown(path, uid, uid, follow_symlinks=False)
    return path


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A folder of ACCOUNT, with a file of it and a folder of it."""
    folder = tmp_path / "theirs"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "file").write_text("own")
    for path in (folder, folder / "data", folder / "data" / "file"):
        owned(path, ACCOUNT)
    return folder


@pytest.fixture
def roots(tmp_path: Path) -> Path:
    """A folder of root with a file that anybody may read."""
    folder = tmp_path / "roots"
    folder.mkdir()
    (folder / "file").write_text("root's")
    return folder


def look(folder: Path, name: str = "name") -> Shown | None:
    with open_folder(folder) as opened:
        return look_through(opened, name)


def content(folder: Path) -> bytes:
    shown = look(folder)
    assert shown is not None
    assert shown.copy is not None
    return shown.copy.content


# -- files -----------------------------------------------------------------------------------------------------------------


@needs_root
@pytest.mark.parametrize(
    ("folder_uid", "link_uid", "file_uid", "is_followed"),
    [
        pytest.param(0, 0, 0, True, id="all-of-root"),
        pytest.param(0, 0, ACCOUNT, True, id="root-links-to-an-accounts-file"),
        pytest.param(ACCOUNT, ACCOUNT, ACCOUNT, True, id="an-account-links-to-its-own"),
        pytest.param(ACCOUNT, 0, ACCOUNT, True, id="root-links-to-the-accounts-own"),
        pytest.param(ACCOUNT, 0, 0, True, id="root-linked-to-its-own-in-an-accounts-folder"),
        pytest.param(ACCOUNT, ACCOUNT, 0, False, id="an-account-links-to-roots"),
        pytest.param(ACCOUNT, ACCOUNT, OTHER, False, id="an-account-links-to-anothers"),
        pytest.param(ACCOUNT, 0, OTHER, False, id="root-links-to-anothers-in-an-accounts-folder"),
        pytest.param(ACCOUNT, OTHER, OTHER, False, id="a-stranger-links-to-its-own"),
        pytest.param(ACCOUNT, OTHER, ACCOUNT, False, id="a-stranger-links-to-the-accounts"),
    ],
)
def test_a_link_to_a_file_is_followed_by_rule(
    tmp_path: Path, folder_uid: int, link_uid: int, file_uid: int, is_followed: bool
) -> None:
    """A link is root's word in root's folder; elsewhere it leads to what is its own account's, or the folder's if it is root's."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("content")
    owned(tmp_path / "folder", folder_uid)
    owned(tmp_path / "file", file_uid)
    (tmp_path / "folder" / "name").symlink_to("../file")
    owned(tmp_path / "folder" / "name", link_uid)
    if is_followed:
        assert content(tmp_path / "folder") == b"content"
    else:
        with pytest.raises(UntrustedPath) as caught:
            look(tmp_path / "folder")
        assert caught.value.filename == str(tmp_path / "folder" / "name")
        assert caught.value.fix


@needs_root
def test_a_link_in_a_folder_that_others_can_write_in_is_not_roots_word(roots: Path, tmp_path: Path) -> None:
    """A link of root's may have been moved into a folder that a group or all can write in: it leads to no folder of root's."""
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "name").symlink_to(roots)
    for mode in (0o755, 0o775, 0o1777):
        shared.chmod(mode)
        with open_folder(shared) as folder:
            if mode == 0o755:
                descend(folder, "name").close()
            else:
                with pytest.raises(UntrustedPath):
                    descend(folder, "name")


@needs_root
def test_a_chain_of_links_is_as_weak_as_its_weakest(theirs: Path, roots: Path, tmp_path: Path) -> None:
    """Root's link to an account's folder is followed, and the account's link there to root's file is not."""
    (tmp_path / "name").symlink_to(theirs / "inner")
    (theirs / "inner").symlink_to("data/file")
    owned(theirs / "inner", ACCOUNT)
    assert content(tmp_path) == b"own"
    (theirs / "inner").unlink()
    (theirs / "inner").symlink_to(roots / "file")
    owned(theirs / "inner", ACCOUNT)
    with pytest.raises(UntrustedPath):
        look(tmp_path)


@pytest.mark.parametrize("text", ["nowhere", "nowhere/file", "name"])
def test_a_link_to_nothing_shows_nothing(tmp_path: Path, text: str) -> None:
    """A link to nothing is a link without content; one that leads to itself is an error and no endless loop."""
    (tmp_path / "name").symlink_to(text)
    if text == "name":
        with pytest.raises(OSError, match="Too many levels"):
            look(tmp_path)
    else:
        shown = look(tmp_path)
        assert shown is not None
        assert (shown.copy, shown.link and shown.link.text) == (None, text)


@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "link-to-a-pipe"])
def test_what_is_no_file_is_never_opened(tmp_path: Path, kind: str) -> None:
    """A pipe, a folder or a device is told by looking: opening a device can start it, and a writer of the pipe would see us."""
    place = tmp_path / "name"
    if kind == "folder":
        place.mkdir()
    elif kind == "device":
        place.symlink_to("/dev/null")
    else:
        os.mkfifo(tmp_path / "pipe")
        place.symlink_to("pipe") if kind == "link-to-a-pipe" else (tmp_path / "pipe").rename(place)
    opened: list[int] = []
    real = os.open

    def noting(path: object, flags: int, *args: object, **options: object) -> int:
        if not flags & (os.O_PATH | os.O_DIRECTORY):
            opened.append(flags)
        return real(path, flags, *args, **options)

    os.open = noting
    try:
        with pytest.raises(OSError, match="not a regular file"):
            look(tmp_path)
    finally:
        os.open = real
    assert opened == []


# -- folders ---------------------------------------------------------------------------------------------------------------


@needs_root
@pytest.mark.parametrize("link_uid", [ACCOUNT, 0])
def test_a_link_on_the_way_leads_to_the_accounts_own_folder_alone(theirs: Path, roots: Path, link_uid: int) -> None:
    """In an account's folder a link on the way is followed to a folder of the account, and never to one of root's."""
    (theirs / "way").symlink_to("data")
    owned(theirs / "way", link_uid)
    with open_folder(theirs / "way") as folder:
        assert folder.path == theirs / "data"
    (theirs / "way").unlink()
    (theirs / "way").symlink_to(roots)
    owned(theirs / "way", link_uid)
    with pytest.raises(UntrustedPath):
        open_folder(theirs / "way")


def test_a_path_through_links_of_the_administrator(tmp_path: Path) -> None:
    """Links above, `..` and a link to / are followed as the system follows them, and the way is that of the real folders."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "link").symlink_to("a/b")
    (tmp_path / "a" / "root").symlink_to("/")
    with open_folder(tmp_path / "link" / ".." / "root" / str(tmp_path)[1:] / "link") as folder:
        assert folder.path == Path(os.path.realpath(tmp_path)) / "a" / "b"
        status = os.stat(tmp_path / "a" / "b")
        assert folder.level.identity == (status.st_dev, status.st_ino)
        assert [level.identity for level in folder.way[-2:-1]] == [
            ((tmp_path / "a").stat().st_dev, (tmp_path / "a").stat().st_ino)
        ]


# -- hard links ------------------------------------------------------------------------------------------------------------


@needs_root
def test_a_hard_link_to_a_file_of_another_account_is_refused(theirs: Path, roots: Path) -> None:
    """A second name of root's file in an account's folder is refused; of the account's own, and in root's folder, it is taken."""
    os.link(roots / "file", theirs / "name")
    with pytest.raises(UntrustedPath, match="second name"):
        look(theirs)
    os.link(theirs / "data" / "file", roots / "name")
    assert content(roots) == b"own"
    (theirs / "name").unlink()
    os.link(theirs / "data" / "file", theirs / "name")
    assert content(theirs) == b"own"


@needs_root
@pytest.mark.parametrize("ending", ["gone", "another", "back"])
def test_a_hard_link_that_goes_while_it_is_read_is_refused(theirs: Path, roots: Path, ending: str) -> None:
    """Whenever the second name is removed, and even when it is put back: the file is not taken for one that has one name."""
    for number in range(1, 40):
        (theirs / "name").unlink(missing_ok=True)
        os.link(roots / "file", theirs / "name")

        def remove() -> None:
            (theirs / "name").unlink()
            if ending == "another":
                (theirs / "name").write_text("own")
                owned(theirs / "name", ACCOUNT)
            elif ending == "back":
                os.link(roots / "file", theirs / "name")

        with open_folder(theirs) as folder, at_call(number, remove), suppress(OSError):
            shown = look_through(folder, "name")
            assert shown is None or (shown.copy is not None and shown.copy.content == b"own"), number


# -- attributes ------------------------------------------------------------------------------------------------------------


def access_list(*entries: tuple[int, int, int]) -> bytes:
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


OWNER, USER, GROUP, MASK, OTHERS = 0x01, 0x02, 0x04, 0x10, 0x20
NOBODY = 0xFFFFFFFF


@needs_root
def test_no_bit_but_reading_and_writing_goes_over(tmp_path: Path) -> None:
    """Set-ID, sticky and execute bits of a file are not taken, neither from its mode nor from its access list."""
    file = tmp_path / "file"
    file.write_bytes(b"")
    file.chmod(0o7755)
    entries = ((OWNER, 7, NOBODY), (USER, 7, ACCOUNT), (GROUP, 5, NOBODY), (MASK, 7, NOBODY), (OTHERS, 1, NOBODY))
    try:
        os.setxattr(file, ACCESS_LIST, access_list(*entries))
    except OSError:
        pytest.skip("this file system knows no access lists")
    file.chmod(0o7775)
    with open_folder(tmp_path) as folder:
        copy = folder.read("file")
        assert copy.attributes.mode & ~0o666 == 0
        folder.write_new("copy", b"", copy.attributes)
    status = (tmp_path / "copy").stat()
    assert stat.S_IMODE(status.st_mode) & ~0o666 == 0
    kept = os.getxattr(tmp_path / "copy", ACCESS_LIST)
    assert {permissions & 1 for _, permissions, _ in struct.iter_unpack("<HHI", kept[4:])} == {0}


def level(inode: int, mode: int, gid: int = 0) -> Level:
    return Level(1, inode, 0, gid, mode)


ROOT, OPEN = level(1, 0o755), level(2, 0o755)
LIST = (
    (
        ACCESS_LIST,
        access_list((OWNER, 6, NOBODY), (USER, 4, 7), (GROUP, 4, NOBODY), (MASK, 4, NOBODY), (OTHERS, 4, NOBODY)),
    ),
)


@pytest.mark.parametrize(
    ("gate", "gid", "has_list", "mode", "keeps_list"),
    [
        pytest.param(level(3, 0o755), 5, False, 0o644, False, id="open"),
        pytest.param(level(3, 0o700), 5, False, 0o600, False, id="closed"),
        pytest.param(level(3, 0o710, 5), 5, False, 0o640, False, id="open-to-the-files-group"),
        pytest.param(level(3, 0o710, 6), 5, False, 0o600, False, id="open-to-another-group"),
        pytest.param(level(3, 0o711), 5, False, 0o644, False, id="passable"),
        pytest.param(level(3, 0o700), 5, True, 0o600, False, id="closed-with-list"),
        pytest.param(level(3, 0o710, 6), 5, True, 0o640, True, id="mask-open-with-list"),
        pytest.param(level(3, 0o755), 5, True, 0o644, True, id="open-with-list"),
    ],
)
def test_a_copy_is_as_closed_as_the_way_to_its_source(
    gate: Level, gid: int, has_list: bool, mode: int, keeps_list: bool
) -> None:
    """A folder on the way to a file alone takes from its copy what it kept from others, from a group, or from a list."""
    attributes = Attributes(mode=0o644, uid=0, gid=gid, xattrs=LIST if has_list else ())
    copy = closed_like(attributes, (ROOT, gate), (ROOT, OPEN))
    assert (copy.mode, bool(copy.xattrs)) == (mode, keeps_list)
    if keeps_list and mode & 0o007 == 0:
        bits = {tag: permissions for tag, permissions, _ in struct.iter_unpack("<HHI", copy.xattrs[0][1][4:])}
        assert bits[OTHERS] == 0
        assert bits[USER] == 4


def test_a_copy_behind_the_same_doors_keeps_its_mode() -> None:
    """A closed folder that lies on both ways closes the copy too, so that its mode can stay."""
    closed = level(3, 0o700)
    attributes = Attributes(mode=0o644)
    assert closed_like(attributes, (ROOT, closed), (ROOT, closed, OPEN)) is attributes


def test_a_long_file_is_refused(tmp_path: Path) -> None:
    """Nobody fills the memory with a file of any length."""
    with open(tmp_path / "name", "wb") as file:
        file.truncate(50_000_000)
    with pytest.raises(OSError, match="too large"):
        look(tmp_path)


@needs_root
@pytest.mark.parametrize("name", ["stack", "syscall", "maps"])
def test_what_the_kernel_shows_root_alone_is_not_read(theirs: Path, name: str) -> None:
    """Files of /proc belong to the account whose process they are about, and show root more than it: they count as empty."""
    child = os.fork()
    if child == 0:
        os.setresgid(ACCOUNT, ACCOUNT, ACCOUNT)
        os.setresuid(ACCOUNT, ACCOUNT, ACCOUNT)
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # or its files belong to root
        signal.pause()
    try:
        while os.stat(f"/proc/{child}/{name}").st_uid != ACCOUNT:
            pass
        (theirs / "name").symlink_to(f"/proc/{child}/{name}")
        owned(theirs / "name", ACCOUNT)
        assert content(theirs) == b""
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@needs_root
def test_a_folder_that_takes_the_place_of_a_new_one_is_refused(theirs: Path) -> None:
    """Right after it was made a new folder can be exchanged with one that root once made there: that one is never opened up."""
    precious = theirs / "precious"
    for number in range(1, 12):
        precious.mkdir(mode=0o700, exist_ok=True)
        (precious / "note").write_text("x")
        inode = precious.stat().st_ino

        def swap() -> None:
            if (theirs / "new").exists():
                (theirs / "new").rename(theirs / "away")
                precious.rename(theirs / "new")

        with open_folder(theirs) as folder, at_call(number, swap), suppress(OSError), folder.make_folder("new") as new:
            new.set_mode(0o755)
        for path in theirs.iterdir():
            if path.stat().st_ino == inode:
                assert path.stat().st_mode & 0o777 == 0o700, number
                path.rename(precious)
        for name in ("new", "away"):
            if (theirs / name).exists():
                (theirs / name).rmdir()


@needs_root
def test_a_link_that_is_put_back_stays_its_accounts(theirs: Path) -> None:
    """A link is put back with its owner: as one of root's it would be believed more than before."""
    (theirs / "other").write_text("own")
    owned(theirs / "other", ACCOUNT)
    with open_folder(theirs) as folder:
        folder.put_link("name", "other", ".temporary", (ACCOUNT, OTHER))
        link = folder.link("name")
    assert link is not None
    assert (link.text, link.uid, link.gid) == ("other", ACCOUNT, OTHER)
    assert (theirs / "other").stat().st_uid == ACCOUNT
    assert (theirs / "other").stat().st_gid == ACCOUNT


def test_attributes_come_from_the_open_file(tmp_path: Path) -> None:
    """What is read is that of the descriptor, whatever has the name by now."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "file").chmod(0o640)
    with open(tmp_path / "file") as file:
        (tmp_path / "file").rename(tmp_path / "away")
        (tmp_path / "file").write_text("y")
        (tmp_path / "file").chmod(0o666)
        assert attributes_of(file.fileno()).mode == 0o640
