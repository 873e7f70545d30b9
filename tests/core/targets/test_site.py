"""A target in the folder of another account: what is refused before anything is touched, and what can always be ended."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.config.model import LineageConfig, TargetConfig
from core.errors import StageFailed
from core.store import journal
from core.workflows.deploying.inflight import SWITCHING, InFlight, read
from core.workflows.deploying.recover import recover
from tests.support.changing import Changing, recovered
from tests.support.hostile import ACCOUNT
from tests.support.services import Box

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has folders of others to work in")
SHOP = LineageConfig(name="shop", domains=("shop.example.com",), targets=("web",))
NEW = {"fullchain.pem": b"new certificate", "privkey.pem": b"new key", "chain.pem": b"new chain"}


@pytest.fixture
def target(tmp_path: Path) -> TargetConfig:
    """A target with a pair, in a folder of ACCOUNT; root's own beside it."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    for name in ("web.crt", "web.key"):
        (folder / name).write_text("old")
        os.chown(folder / name, ACCOUNT, ACCOUNT)
    os.chown(folder, ACCOUNT, ACCOUNT)
    (tmp_path / "roots").mkdir(mode=0o700)
    (tmp_path / "roots" / "secret").write_text("secret")
    return TargetConfig(name="web", certificate=str(folder / "web.crt"), key=str(folder / "web.key"))


def _folder(target: TargetConfig) -> Path:
    return Path(target.certificate).parent


def _link_in_its_place(target: TargetConfig) -> None:
    (_folder(target) / ".certdeck-web").symlink_to(_folder(target).parent / "roots")


def _folder_of_the_account(target: TargetConfig) -> None:
    (_folder(target) / ".certdeck-web").mkdir()
    os.chown(_folder(target) / ".certdeck-web", ACCOUNT, ACCOUNT)


def _file_in_its_place(target: TargetConfig) -> None:
    (_folder(target) / ".certdeck-web").write_text("x")


def _open_to_a_group(target: TargetConfig) -> None:
    (_folder(target) / ".certdeck-web").mkdir()
    (_folder(target) / ".certdeck-web").chmod(0o775)


def _that_of_another_target(target: TargetConfig) -> None:
    (_folder(target) / ".certdeck-web").mkdir()
    (_folder(target) / ".certdeck-web" / ".target").write_text("mail")


def _odd_current(target: TargetConfig) -> None:
    (_folder(target) / ".certdeck-web").mkdir()
    (_folder(target) / ".certdeck-web" / "current").symlink_to("../../roots")


def _link_to_roots(target: TargetConfig) -> None:
    os.unlink(target.key)
    os.symlink(_folder(target).parent / "roots" / "secret", target.key)
    os.chown(target.key, ACCOUNT, ACCOUNT, follow_symlinks=False)


def _hard_link_to_roots(target: TargetConfig) -> None:
    os.unlink(target.key)
    os.link(_folder(target).parent / "roots" / "secret", target.key)


def _open_to_all(target: TargetConfig) -> None:
    _folder(target).chmod(0o777)


def _open_to_all_above(target: TargetConfig) -> None:
    _folder(target).parent.chmod(0o777)


REFUSED = [
    _link_in_its_place,
    _folder_of_the_account,
    _file_in_its_place,
    _open_to_a_group,
    _that_of_another_target,
    _odd_current,
    _link_to_roots,
    _hard_link_to_roots,
    _open_to_all,
    _open_to_all_above,
]


@needs_root
@pytest.mark.parametrize("mode", ["link", "copy"])
@pytest.mark.parametrize("arrange", REFUSED)
def test_what_an_account_arranged_is_refused_before_a_record(
    tmp_path: Path, target: TargetConfig, arrange: Callable[[TargetConfig], None], mode: str
) -> None:
    """Whatever stands there that certdeck did not make: the refusal says what and how to fix it, and nothing is written at all."""
    box = Box.at(tmp_path / "home")
    box.services.add(_folder(target), "web", mode=mode, probe=False)
    arrange(target)
    before = sorted((path, path.lstat().st_mode, path.lstat().st_ino) for path in (tmp_path / "theirs").rglob("*"))
    with pytest.raises(StageFailed) as caught:
        box.put(SHOP)
    assert journal.names(box.paths) == ()
    assert caught.value.why
    assert caught.value.fix
    assert "secret" not in f"{caught.value.what}{caught.value.fix}".replace(str(tmp_path / "roots" / "secret"), "")
    assert (
        sorted((path, path.lstat().st_mode, path.lstat().st_ino) for path in (tmp_path / "theirs").rglob("*")) == before
    )
    assert (tmp_path / "roots" / "secret").read_text() == "secret"


@needs_root
def test_after_the_obstacle_is_gone_the_certificate_goes_live(tmp_path: Path, target: TargetConfig) -> None:
    """A refusal leaves nothing that blocks: once the link is removed, the next run deploys."""
    box = Box.at(tmp_path / "home")
    service = box.services.add(_folder(target), "web")
    _link_in_its_place(target)
    with pytest.raises(StageFailed):
        box.put(SHOP)
    recover(box.context)
    (_folder(target) / ".certdeck-web").unlink()
    _, leaf = box.put(SHOP)
    assert service.serves == leaf.fullchain_pem


@needs_root
def test_links_of_the_accounts_own_are_taken_over_and_put_back(tmp_path: Path, target: TargetConfig) -> None:
    """A link of the account to its own file is adopted, and put back as the account's, not as one of root's."""
    folder = _folder(target)
    (folder / "archive").mkdir()
    Path(target.key).rename(folder / "archive" / "key3.pem")
    os.symlink("archive/key3.pem", target.key)
    for path in (folder / "archive", Path(target.key)):
        os.chown(path, ACCOUNT, ACCOUNT, follow_symlinks=False)
    with Changing(target) as changing:
        changing.stage(NEW)
        changing.adopt()
        changing.switch()
        assert Path(target.key).read_bytes() == b"new key"
    with recovered(changing.change, target) as later:
        later.put_back()
    assert os.readlink(target.key) == "archive/key3.pem"
    assert os.lstat(target.key).st_uid == ACCOUNT


@pytest.mark.parametrize("gone", ["the copies", "the folder of the pair", "everything"])
@pytest.mark.parametrize("mode", ["link", "copy"])
def test_an_interrupted_change_can_be_ended_without_its_copies(tmp_path: Path, gone: str, mode: str) -> None:
    """Somebody who cleans up the folder after a crash does not block the certificate: what can be put back is, and it goes on."""
    folder = tmp_path / "tls"
    folder.mkdir()
    target = TargetConfig(name="web", certificate=str(folder / "web.crt"), key=str(folder / "web.key"), mode=mode)
    for path in (target.certificate, target.key):
        Path(path).write_text("old")
    with Changing(target) as changing:
        changing.stage(NEW)
        changing.adopt()
        changing.switch()
    pair = folder / ".certdeck-web"
    shutil.rmtree(
        {"the copies": pair / changing.change.before, "the folder of the pair": pair, "everything": folder}[gone]
    )
    with recovered(changing.change, target) as later:
        later.put_back()
    folder.mkdir(exist_ok=True)
    with Changing(target) as again:
        again.deploy(NEW)
    assert Path(target.key).read_bytes() == b"new key"


ODD_LINKS = ["a\nb", " ", "\udcff\udcfe", "../" * 30 + "x", "ä€𝄞", "\x1b[31m", ".certdeck-web/current/privkey.pem"]


@pytest.mark.parametrize("text", ODD_LINKS)
def test_whatever_a_path_shows_the_record_can_be_read_again(tmp_path: Path, text: str) -> None:
    """A link of any text at a path gives a record that certdeck reads as it wrote it, and the very link comes back."""
    box = Box.at(tmp_path / "home")
    service = box.services.add(tmp_path / "tls", "web")
    os.symlink(text, service.target.key)
    version, _ = box.store(SHOP)
    with Changing(service.target) as changing:
        flight = InFlight(
            lineage="shop",
            version=version,
            live_before=None,
            targets=(service.target,),
            changes=(changing.change,),
            spec=SHOP,
        )
        flight.write(box.context, SWITCHING)
        assert read(box.context, "shop") == (SWITCHING, flight)
        changing.stage(NEW)
        changing.adopt()
        changing.switch()
    recover(box.context)
    assert os.readlink(service.target.key) == text
    assert journal.names(box.paths) == ()


def test_a_record_that_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    """A change that its own reader would refuse is refused before it is begun."""
    box = Box.at(tmp_path / "home")
    service = box.services.add(tmp_path / "tls", "web")
    version, _ = box.store(SHOP)
    with Changing(service.target) as changing:
        change = replace(changing.change, before="x")
        flight = InFlight(
            lineage="shop", version=version, live_before=None, targets=(service.target,), changes=(change,), spec=SHOP
        )
        with pytest.raises(StageFailed, match="could not be recorded"):
            flight.write(box.context, SWITCHING)
    assert journal.names(box.paths) == ()


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that any account can get to."""
    folder = Path(tempfile.mkdtemp(prefix="certdeck-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@needs_root
def test_without_root_it_works_as_before(reachable: Path) -> None:
    """An account that deploys in its own folder, which its group can write in, goes through all steps and back."""
    folder = reachable / "own"
    folder.mkdir()
    (folder / "real").mkdir()
    (folder / "link").symlink_to("real")
    target = TargetConfig(name="web", certificate="link/web.crt", key="link/web.key")
    for name in ("web.crt", "web.key"):
        (folder / "real" / name).write_text("old")
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, ACCOUNT, ACCOUNT, follow_symlinks=False)
        if path.is_dir():
            path.chmod(0o775)
    target = replace(target, certificate=str(folder / target.certificate), key=str(folder / target.key))
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgroups([])
            os.setresgid(ACCOUNT, ACCOUNT, ACCOUNT)
            os.setresuid(ACCOUNT, ACCOUNT, ACCOUNT)
            with Changing(target) as changing:
                changing.stage(NEW)
                changing.adopt()
                changing.switch()
                assert Path(target.key).read_bytes() == b"new key"
                changing.put_back()
            assert Path(target.key).read_text() == "old"
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
