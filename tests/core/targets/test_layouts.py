"""Which files a target has: certificate and key apart, in one file, or without the chain; and files that are written in place."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from core.config.load import parse_config
from core.config.model import LineageConfig, TargetConfig
from core.errors import ConfigError
from core.targets.check import refuse
from core.targets.layout import layout_of
from core.targets.observe import observe
from core.targets.pair import release
from core.targets.resolved import resolved
from core.workflows.deploying.deploy import release_target, rollback
from tests.support.changing import Changing, recovered
from tests.support.programs import ROOT
from tests.support.services import Box

STORED = {
    "fullchain.pem": b"leaf\nchain\n",
    "privkey.pem": b"key\n",
    "chain.pem": b"chain\n",
    "cert.pem": b"leaf\n",
}
SHOP = LineageConfig(name="shop", domains=("shop.example.com",), targets=("web",))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder of a service."""
    made = tmp_path / "tls"
    made.mkdir()
    return made


def one_file(folder: Path, layout: str = "combined") -> TargetConfig:
    return TargetConfig(name="web", kind="files", certificate=str(folder / "site.pem"), layout=layout)


@pytest.mark.parametrize(
    ("kind", "key", "layout"),
    [
        ("nginx", "/k.pem", "separate"),
        ("haproxy", "", "combined"),
        ("haproxy", "/c.pem", "combined"),
        ("haproxy", "/k.pem", "separate"),
        ("proftpd", "/k.pem", "leaf"),
        ("files", "", "separate"),
        ("nothing", "", "separate"),
    ],
)
def test_kind_and_paths_say_the_layout(kind: str, key: str, layout: str) -> None:
    """A target without a path for its key has one file where its kind takes that first; a layout that is named counts."""
    target = TargetConfig(name="web", kind=kind, certificate="/c.pem", key=key)
    assert layout_of(target) == layout
    assert layout_of(replace(target, layout="key-first")) == "key-first"


@pytest.mark.parametrize(
    ("layout", "shown"), [("combined", b"leaf\nchain\nkey\n"), ("key-first", b"key\nleaf\nchain\n")]
)
def test_one_file_holds_all(folder: Path, layout: str, shown: bytes) -> None:
    """Certificate, chain and key are in one file in the order of the layout, closed to others, and go back as one."""
    target = one_file(folder, layout)
    Path(target.certificate).write_bytes(b"old")
    Path(target.certificate).chmod(0o600)
    changing = Changing(target)
    changing.stage(STORED)
    changing.adopt()
    changing.switch()
    path = Path(target.certificate)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (shown, 0o600)
    recovered(changing.change, target).put_back()
    assert path.read_bytes() == b"old"
    assert [each.name for each in folder.iterdir()] == ["site.pem"]


def test_a_new_file_with_a_key_is_closed(folder: Path) -> None:
    """Where nothing was, a file that holds the key gets the mode of a key."""
    Changing(one_file(folder)).deploy(STORED)
    assert (folder / "site.pem").stat().st_mode & 0o777 == 0o600


def test_the_leaf_layout_has_the_certificate_alone(folder: Path) -> None:
    """In the layout leaf the certificate's file has no intermediates: they are in the chain's."""
    target = TargetConfig(
        name="ftp",
        kind="proftpd",
        certificate=str(folder / "c.pem"),
        key=str(folder / "k.pem"),
        chain=str(folder / "x.pem"),
    )
    Changing(target).deploy(STORED)
    assert [(folder / name).read_bytes() for name in ("c.pem", "k.pem", "x.pem")] == [b"leaf\n", b"key\n", b"chain\n"]


@pytest.mark.parametrize("settings", [{}, {"mode": "copy"}, {"mode": "copy", "in_place": True}])
@pytest.mark.parametrize("shown_at", [1, 2**32])
def test_each_version_that_is_shown_is_newer_than_the_one_before(
    folder: Path, settings: dict[str, Any], shown_at: int
) -> None:
    """What is shown is newer by a whole second than what was, forward and back: ejabberd and hitch keep what is not newer.

    Also where a clock that was wrong has left files of the future.
    """
    target = replace(one_file(folder), layout="combined", **settings)
    path = Path(target.certificate)
    path.write_bytes(b"before\n")
    os.utime(path, (shown_at, shown_at))
    times = [shown_at]
    for key in (b"first key\n", b"second key\n"):
        Changing(target).deploy({**STORED, "privkey.pem": key})
        times.append(int(path.stat().st_mtime))
    changing = Changing(target)
    changing.stage({**STORED, "privkey.pem": b"third key\n"})
    changing.adopt()
    changing.switch()
    times.append(int(path.stat().st_mtime))
    changing.show_old()
    times.append(int(path.stat().st_mtime))
    changing.put_back()
    times.append(int(path.stat().st_mtime))
    assert path.read_bytes() == b"leaf\nchain\nsecond key\n"
    release(target)
    times.append(int(path.stat().st_mtime))
    assert times == sorted(times)
    assert times[:-2] == sorted(set(times[:-2]))


def test_observing_compares_what_the_layout_puts_there(tmp_path: Path) -> None:
    """A combined file that holds the live pair is `deployed`, and any other content is `stale`."""
    live = tmp_path / "live"
    live.mkdir()
    for name, content in STORED.items():
        (live / name).write_bytes(content)
    target = one_file(tmp_path)
    Path(target.certificate).write_bytes(b"leaf\nchain\nkey\n")
    assert observe(target, live=live).state == "deployed"
    Path(target.certificate).write_bytes(b"leaf\nchain\n")
    assert observe(target, live=live).state == "stale"


def test_a_key_is_only_asked_for_where_it_has_a_file(tmp_path: Path) -> None:
    """The configuration needs no path for a key that is in the certificate's file, and says so where it does."""
    config = parse_config(b'[targets.p]\nkind = "haproxy"\ncertificate = "/p.pem"\n', tmp_path / "c.toml")
    assert resolved(config.targets["p"]).key == "/p.pem"
    with pytest.raises(ConfigError) as caught:
        parse_config(b'[targets.p]\nkind = "nginx"\ncertificate = "/p.pem"\n', tmp_path / "c.toml")
    assert "targets.p.key" in str(caught.value.details)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"kind": "proftpd", "key": "/srv/k", "layout": "combined"}, "which proftpd cannot read"),
        ({"kind": "nginx", "key": ""}, "The key path of target web is missing"),
        ({"kind": "haproxy", "key": "/srv/k", "layout": "combined"}, "has a path for the key"),
        ({"kind": "command", "key": "/srv/k"}, "has no reload command"),
        ({"kind": "files", "key": "/srv/c"}, "the same path for certificate and key"),
    ],
)
def test_what_a_kind_cannot_take_is_refused(more: dict[str, str], words: str) -> None:
    """A layout that a kind cannot read, and paths that do not go with the layout, are refused before anything is touched."""
    with pytest.raises(ConfigError) as caught:
        refuse([TargetConfig(name="web", certificate="/srv/c", **more)])
    assert words in caught.value.what


@pytest.mark.parametrize("reached", ["staged", "switched"])
def test_written_in_place_the_file_stays_the_same_one(folder: Path, reached: str) -> None:
    """With in_place the very files are written into and back: their inodes, owners and modes stay (also after a crash)."""
    target = TargetConfig(name="web", certificate=str(folder / "c"), key=str(folder / "k"), in_place=True)
    for name in ("c", "k"):
        (folder / name).write_bytes(b"an old and much longer content")
        (folder / name).chmod(0o640)
    before = {name: (folder / name).stat() for name in ("c", "k")}
    changing = Changing(target)
    changing.stage(STORED)
    if reached == "switched":
        changing.adopt()
        changing.switch()
        assert [(folder / name).read_bytes() for name in ("c", "k")] == [b"leaf\nchain\n", b"key\n"]
    recovered(changing.change, target).put_back()
    for name in ("c", "k"):
        status = (folder / name).stat()
        assert (folder / name).read_bytes() == b"an old and much longer content"
        assert (status.st_ino, status.st_mode) == (before[name].st_ino, before[name].st_mode)
    assert sorted(each.name for each in folder.iterdir()) == ["c", "k"]


_IN_A_CONTAINER = """
from pathlib import Path
from typing import Any
from core.config.model import TargetConfig
from core.errors import CertdeckError
from core.targets.check import refuse
from tests.support.changing import Changing, recovered
target = TargetConfig(name="web", certificate={c!r}, key={k!r}, mode="copy")
try:
    refuse([target])
except CertdeckError as exc:
    print("refused", "in_place" in exc.fix)
changing = Changing(target)
changing.stage({stored!r})
try:
    changing.switch()
except OSError as exc:
    print(exc.strerror)
recovered(changing.change, target).put_back()
print("undone")
target = TargetConfig(name="web", certificate={c!r}, key={k!r}, in_place=True)
refuse([target])
Changing(target).deploy({stored!r})
print(Path({c!r}).read_bytes())
"""


def test_a_single_file_that_is_mounted(tmp_path: Path) -> None:
    """Onto a bind-mounted file nothing can be renamed: an undo that finds all as it was is done, and in_place writes into it."""
    for name in ("inside-c", "inside-k", "outside-c", "outside-k"):
        (tmp_path / name).write_bytes(b"old")
    code = _IN_A_CONTAINER.format(c=str(tmp_path / "inside-c"), k=str(tmp_path / "inside-k"), stored=STORED)
    mounts = " && ".join(
        shlex.join(["mount", "--bind", str(tmp_path / f"outside-{each}"), str(tmp_path / f"inside-{each}")])
        for each in "ck"
    )
    ran = subprocess.run(
        ["unshare", "--mount", "sh", "-c", f"{mounts} && exec {sys.executable} -c {shlex.quote(code)}"],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    if ran.returncode and "unshare" in ran.stderr:
        pytest.skip(f"no mount namespace here: {ran.stderr.strip()}")
    lines = ran.stdout.splitlines()
    assert lines == ["refused True", "Device or resource busy", "undone", "b'leaf\\nchain\\n'"], ran.stderr
    assert (tmp_path / "outside-c").read_bytes() == b"leaf\nchain\n"


def test_one_file_through_a_whole_deployment(tmp_path: Path) -> None:
    """A deployment to a target with one file ends with the pair in it, and status, rollback and removal know it."""
    box = Box.at(tmp_path / "home")
    service = box.services.add(tmp_path / "tls", "web")
    pem = tmp_path / "tls" / "site.pem"
    service.target = replace(
        service.target, layout="combined", certificate=str(pem), key="", test=(), reload=(), probe=()
    )
    leaves = []
    for _ in range(2):
        _, leaf = box.put(SHOP)
        leaves.append(leaf)
        assert pem.read_bytes() == leaf.fullchain_pem + leaf.key_pem
    rollback(box.context, "shop")
    assert pem.read_bytes() == leaves[0].fullchain_pem + leaves[0].key_pem
    release_target(box.context, service.target)
    assert not pem.is_symlink()
    assert pem.stat().st_mode & 0o777 == 0o600
