from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.config.model import TargetConfig
from core.errors import ConfigError
from core.foreign.mounts import mount_points
from core.targets.check import refuse
from core.targets.resolved import resolved
from tests.support.command import ROOT

WEB = TargetConfig(name="web", certificate="/srv/tls/domain.crt", key="/srv/tls/domain.key")


def refusal(target: TargetConfig, *others: TargetConfig) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        refuse([target], others, Path("/var/lib/certdeck"))
    return caught.value


@pytest.mark.parametrize(
    ("target", "said"),
    [
        pytest.param(replace(WEB, name="../web"), "'../web'", id="fail/name-with-path"),
        pytest.param(replace(WEB, name=""), "name ''", id="fail/no-name"),
        pytest.param(replace(WEB, certificate="domain.crt"), "'domain.crt'", id="fail/relative"),
        pytest.param(replace(WEB, key=""), "key path of target web is missing", id="fail/no-key"),
        pytest.param(replace(WEB, chain="chain.pem"), "chain path", id="fail/relative-chain"),
        pytest.param(replace(WEB, mode="move"), "'move'", id="fail/mode"),
        pytest.param(replace(WEB, file_mode="rw-------"), "'rw-------'", id="fail/file-mode"),
        pytest.param(
            replace(WEB, key="/srv/x/../tls/domain.crt"), "same path for certificate and key", id="fail/combined"
        ),
        pytest.param(replace(WEB, chain="/srv/tls/domain.key"), "same path twice", id="fail/chain-is-key"),
        pytest.param(replace(WEB, host="box2", remote_key="/k"), "files has host, remote_key", id="fail/remote-here"),
        pytest.param(
            replace(WEB, kind="ssh", host="box2", remote_certificate="/c", remote_key="/k", also=("der:/d",)),
            "further files (also)",
            id="fail/also-there",
        ),
        pytest.param(
            replace(WEB, key="/var/lib/certdeck/live/shop/privkey.pem"), "certdeck's own state", id="fail/own-state"
        ),
    ],
)
def test_impossible_targets_are_refused(target: TargetConfig, said: str) -> None:
    """A target that cannot work is refused before anything is touched, with what is wrong and how to mend it."""
    error = refusal(target)
    assert said in error.what
    assert error.why
    assert error.fix
    assert error.details["problems"] == [error.what]


def test_shared_paths_are_refused(tmp_path: Path) -> None:
    """Two targets that would write the same file are refused, also when one reaches it through a linked folder."""
    (tmp_path / "tls").mkdir()
    (tmp_path / "ssl").symlink_to("tls")
    web = TargetConfig(name="web", certificate=f"{tmp_path}/tls/a.crt", key=f"{tmp_path}/tls/a.key")
    mail = TargetConfig(name="mail", certificate=f"{tmp_path}/tls/b.crt", key=f"{tmp_path}/ssl/a.key")
    error = refusal(web, mail)
    assert "web and mail share the path" in error.what
    assert "a.key" in error.what


def test_every_problem_is_said_at_once() -> None:
    """A target with several mistakes hears of all of them in one go."""
    error = refusal(replace(WEB, mode="move", file_mode="x", key=WEB.certificate))
    problems = error.details["problems"]
    assert isinstance(problems, list)
    assert len(problems) == 3


def test_good_targets_pass() -> None:
    """Targets with paths of their own pass, and the order of targets does not matter."""
    mail = replace(WEB, name="mail", certificate="/srv/tls/mail.crt", key="/srv/tls/mail.key", chain="/srv/tls/ca.crt")
    assert refuse([WEB, mail], [WEB, mail], Path("/var/lib/certdeck")) is None


def test_unknown_kind_names_the_known_ones() -> None:
    """An unknown kind is refused with the known kinds and the nearest one."""
    error = refusal(replace(WEB, kind="ngnix"))
    assert "files" in error.why
    assert "'nginx'" in error.why


def test_a_kind_gives_its_commands() -> None:
    """A target of kind `nginx` has nginx's test and reload unless it gives its own; `files` has none."""
    assert resolved(replace(WEB, kind="nginx")).test == ("nginx", "-t")
    assert resolved(replace(WEB, kind="nginx")).reload == ("nginx", "-s", "reload")
    own = replace(WEB, kind="nginx", test=("true",), reload=("systemctl", "reload", "nginx"), layout="separate")
    assert resolved(own) == own
    assert resolved(WEB) == replace(WEB, layout="separate")


def test_a_path_that_something_is_mounted_on_is_refused() -> None:
    """A single file given to a container is recognised before anything is staged: no rename can replace it."""
    target = TargetConfig(name="web", kind="files", certificate="/srv/tls/full.pem", key="/srv/tls/key.pem")
    with pytest.raises(ConfigError) as caught:
        refuse([target], mounts=frozenset({"/", "/srv/tls/key.pem"}))
    assert "cannot replace /srv/tls/key.pem" in caught.value.what
    assert "Mount the folder" in caught.value.fix
    refuse([target], mounts=frozenset({"/", "/srv", "/srv/tls"}))


def test_mount_points_are_read_as_the_system_writes_them(tmp_path: Path) -> None:
    """Blanks in a path are escaped; a table that is not there says nothing."""
    table = tmp_path / "mountinfo"
    table.write_text(
        "22 1 0:20 / / rw - ext4 /dev/vda rw\n36 22 0:20 /a /srv/my\\040tls/key.pem rw,relatime shared:1 - ext4 /dev/vda rw\n"
    )
    assert mount_points(str(table)) == {"/", "/srv/my tls/key.pem"}
    assert mount_points(str(tmp_path / "nothing")) == frozenset()


def test_a_file_that_is_really_mounted_is_found(tmp_path: Path) -> None:
    """A bind mount within one file system, which st_dev does not show, is in the table."""
    ours, theirs = tmp_path / "ours.pem", tmp_path / "theirs.pem"
    ours.write_text("a")
    theirs.write_text("b")
    look = f"from core.foreign.mounts import mount_points; print({str(theirs)!r} in mount_points())"
    script = f"mount --bind {ours} {theirs} && exec {sys.executable} -c {shlex.quote(look)}"
    ran = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, cwd=ROOT, check=False
    )
    if ran.returncode:
        pytest.skip(f"no mount namespace here: {ran.stderr.strip()}")
    assert ran.stdout == "True\n"
