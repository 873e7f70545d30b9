"""core.config.edit: what people wrote stays, and what would not load is never written."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.config.edit import remove_table, set_issuer, set_target, set_values, write_lineage
from core.config.load import load_config, load_lineage
from core.config.model import IssuerConfig, LineageConfig, TargetConfig
from core.errors import ConfigError
from core.paths import Paths, paths_for

TEXT = """\
# Kept by the cellar crew.
[appliance]
name = "Acme"  # brand

[targets.web]  # the shop
certificate = "/a.crt"
key = "/a.key"
"""


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    made = paths_for({"CERTDECK_HOME": str(tmp_path)}, 0)
    made.etc.mkdir()
    made.config.write_text(TEXT)
    return made


def test_comments_and_order_survive(paths: Paths) -> None:
    """After several edits every line that was there is there, in its order."""
    set_values(paths, {"defaults.issuer": "zerossl", "appliance.name": "Other"})
    set_target(paths, TargetConfig(name="mail", certificate="/b.crt", key="/b.key", reload=("postfix", "reload")))
    set_issuer(paths, "my.ca", IssuerConfig(directory="https://ca.example/dir", agree_tos=True))
    left = [
        line
        for line in paths.config.read_text().splitlines()
        if line in TEXT.replace("Acme", "Other").splitlines() and line
    ]
    assert left == [line for line in TEXT.replace("Acme", "Other").splitlines() if line]
    config = load_config(paths)
    assert config.defaults.issuer == "zerossl"
    assert config.targets["mail"].reload == ("postfix", "reload")
    assert config.issuers["my.ca"].agree_tos


def test_a_target_is_changed_in_place(paths: Paths) -> None:
    """Writing a target that is there sets what differs and removes what went back to its default."""
    target = load_config(paths).targets["web"]
    set_target(paths, replace(target, mode="copy", probe=("127.0.0.1:443",)))
    assert load_config(paths).targets["web"].mode == "copy"
    set_target(paths, target)
    assert load_config(paths).targets["web"] == target
    assert "[targets.web]  # the shop" in paths.config.read_text()
    assert "mode" not in paths.config.read_text()


def test_removing_the_last_target_leaves_the_rest(paths: Paths) -> None:
    """A removed table goes, and only it; removing it again is fine."""
    remove_table(paths, ("targets", "web"))
    remove_table(paths, ("targets", "web"))
    assert paths.config.read_text() == TEXT.split("\n[targets")[0]


def test_what_would_not_load_is_not_written(paths: Paths) -> None:
    """An impossible value is refused with its problem, and the file stays byte for byte."""
    with pytest.raises(ConfigError) as caught:
        set_values(paths, {"http01.port": 0})
    assert "out of range" in caught.value.why
    assert paths.config.read_text() == TEXT


@pytest.mark.parametrize("where", ["certificate", "reload"])
def test_what_is_no_text_is_not_written(paths: Paths, where: str) -> None:
    """An argument can hold any bytes, a configuration file only UTF-8: the value is named, and the file stays as it is."""
    odd = {"certificate": "/\udcff.crt", "reload": ("x", "\udcff")}[where]
    for name in ("web", "new"):
        target = TargetConfig(**{"name": name, "certificate": "/a.crt", "key": "/a.key", where: odd})
        with pytest.raises(ConfigError) as caught:
            set_target(paths, target)
        assert f"targets.{name}" in caught.value.why
        assert "UTF-8" in caught.value.why
    assert paths.config.read_text() == TEXT


def test_a_broken_file_is_not_edited(paths: Paths) -> None:
    """A file that does not load now is left for a person to mend."""
    paths.config.write_text("[appliance\n")
    with pytest.raises(ConfigError):
        set_values(paths, {"defaults.issuer": "x"})
    assert paths.config.read_text() == "[appliance\n"


def test_a_byte_order_mark_survives(paths: Paths) -> None:
    """A file that a Windows editor has saved is changed like any other, and keeps its mark."""
    paths.config.write_bytes(b"\xef\xbb\xbf" + TEXT.removeprefix("# Kept by the cellar crew.\n").encode())
    set_values(paths, {"appliance.name": "Other"})
    text = paths.config.read_bytes()
    assert text.startswith(b"\xef\xbb\xbf[appliance]")
    assert text.count(b"[appliance]") == 1
    assert load_config(paths).appliance.name == "Other"


def test_mode_and_link_are_kept(paths: Paths) -> None:
    """A file that others may read stays so, and a link to where configuration management keeps it stays a link."""
    elsewhere = paths.etc.parent / "managed.toml"
    paths.config.rename(elsewhere)
    elsewhere.chmod(0o640)
    paths.config.symlink_to(elsewhere)
    set_values(paths, {"defaults.issuer": "x"})
    assert paths.config.is_symlink()
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o640
    assert load_config(paths).defaults.issuer == "x"


def test_a_new_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    """A configuration that certdeck makes itself is 0600 in a folder of 0700."""
    paths = paths_for({"CERTDECK_HOME": str(tmp_path)}, 0)
    before = os.umask(0)
    try:
        set_values(paths, {"defaults.issuer": "x"})
    finally:
        os.umask(before)
    assert stat.S_IMODE(paths.config.stat().st_mode) == 0o600
    assert stat.S_IMODE(paths.etc.stat().st_mode) == 0o700


def test_a_lineage_is_written_and_read_back(paths: Paths) -> None:
    """What is written for a lineage is what is read, and only what is given stands in the file."""
    lineage = LineageConfig(
        name="shop", domains=("shop.example.com", "*.shop.example.com"), issuer="x", targets=("web",)
    )
    write_lineage(paths, lineage)
    assert load_lineage(paths, "shop") == lineage
    file = paths.certificates / "shop.toml"
    assert file.read_text() == 'domains = ["shop.example.com", "*.shop.example.com"]\nissuer = "x"\ntargets = ["web"]\n'


def test_a_lineage_is_updated_in_place(paths: Paths) -> None:
    """Comments in a lineage's file stay; a setting that is no longer given goes; nothing to change means nothing written."""
    file = paths.certificates / "shop.toml"
    file.parent.mkdir()
    file.write_text('# ask Eve\ndomains = ["a.example"]  # first\nauto_renew = false\n')
    lineage = load_lineage(paths, "shop")
    inode = file.stat().st_ino
    write_lineage(paths, lineage)
    assert file.stat().st_ino == inode
    write_lineage(paths, replace(lineage, domains=("a.example", "b.example"), auto_renew=None, key_type="rsa-2048"))
    assert file.read_text() == '# ask Eve\ndomains = ["a.example", "b.example"]  # first\nkey_type = "rsa-2048"\n'


def test_probes_are_a_text_or_a_list(paths: Paths) -> None:
    """One probe stands as a text, as it always did; several as a list; both are read, and a wrong one is named."""
    target = load_config(paths).targets["web"]
    set_target(paths, replace(target, probe=("127.0.0.1:443",)))
    assert 'probe = "127.0.0.1:443"\n' in paths.config.read_text()
    several = ("127.0.0.1:443", "[::1]:443", "smtp://mail.example.com:25")
    set_target(paths, replace(target, probe=several))
    assert load_config(paths).targets["web"].probe == several
    before = paths.config.read_text()
    with pytest.raises(ConfigError, match="gopher"):
        set_target(paths, replace(target, probe=("127.0.0.1:443", "gopher://[::1]:70")))
    assert paths.config.read_text() == before
    set_target(paths, target)
    assert load_config(paths).targets["web"].probe == ()
