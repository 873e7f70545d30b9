"""Who reads a key: what its file must let through, and the proof by reading."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.config.model import TargetConfig
from core.errors import StageFailed
from core.foreign.attributes import ACCESS_LIST, Attributes
from core.foreign.opened import Copy
from core.foreign.trust import Level
from core.system.reading import reads_as
from core.targets.change import Place
from core.targets.readers import Reader, can_read, closed, prove, readable, readers_of

READER = Reader(name="postgres", uid=70, groups=(70, 71), group=70, group_name="postgres")
CLOSED = Attributes(mode=0o600, uid=0, gid=0)


def test_a_key_of_root_is_opened_to_the_group_of_its_service() -> None:
    """Mode 0600 of root becomes 0640 with the service's group, and nothing for others."""
    assert readable(CLOSED, (READER,)) == Attributes(mode=0o640, uid=0, gid=70)


def test_a_key_that_its_service_can_read_is_left_alone() -> None:
    """A key that belongs to the service, or to a group of its own, keeps owner, group and mode."""
    own, group = Attributes(mode=0o600, uid=70, gid=0), Attributes(mode=0o640, uid=0, gid=71)
    assert readable(own, (READER,)) == own
    assert readable(group, (READER,)) == group


def test_nobody_else_reads_a_key_of_a_known_service() -> None:
    """A key that the world could read is closed to the world: it is known who has to read it."""
    assert readable(Attributes(mode=0o644, uid=0, gid=0), (READER,)).mode & 0o007 == 0
    assert can_read(readable(Attributes(mode=0o604, uid=0, gid=0), (READER,)), READER)


def test_a_group_and_an_access_list_of_an_administrator_stay() -> None:
    """A group that reads already is not exchanged, and a file with an access list is not touched."""
    other = Attributes(mode=0o640, uid=0, gid=5)
    assert readable(other, (READER,)) == other
    listed = replace(CLOSED, xattrs=((ACCESS_LIST, b"x"),))
    assert readable(listed, (READER,)) == listed
    assert readable(Attributes(mode=0o644), ()) == Attributes(mode=0o644)


def test_only_accounts_of_this_machine_are_readers() -> None:
    """A kind whose account is not there has no reader to prove anything for; nginx, which reads as root, has none at all."""
    assert readers_of(TargetConfig(name="web", kind="nginx", certificate="/c", key="/k")) == ()
    accounts = {entry.pw_name for entry in pwd.getpwall()}
    found = readers_of(TargetConfig(name="db", kind="postgresql", certificate="/c", key="/k"))
    assert [reader.name for reader in found] == (["postgres"] if "postgres" in accounts else [])


@pytest.mark.skipif(os.geteuid() != 0, reason="another account is taken on by root")
def test_reading_as_another_account_is_really_tried(tmp_path: Path) -> None:
    """A file of root alone cannot be read as `nobody`, an open one can, and one in a closed folder cannot."""
    folder = Path("/tmp") / f"certdeck-readers-{os.getpid()}"  # pytest's own folders let nobody else in
    folder.mkdir(mode=0o755)
    try:
        file = folder / "key"
        file.write_text("x")
        file.chmod(0o600)
        assert reads_as("nobody", file) is False
        file.chmod(0o644)
        assert reads_as("nobody", file) is True
        folder.chmod(0o700)
        assert reads_as("nobody", file) is False
        assert reads_as("no-such-account", file) is None
    finally:
        (folder / "key").unlink()
        folder.rmdir()


def test_a_key_that_cannot_be_read_stops_the_deployment() -> None:
    """Where the proof fails, the refusal names the account and the command that helps; where nothing can be proven, it passes."""
    target = TargetConfig(name="db", kind="postgresql", certificate="/etc/db.crt", key="/etc/db.key")
    with pytest.raises(StageFailed) as caught:
        prove(target, (READER,), Path("/etc/.certdeck-db/1/privkey.pem"), lambda account, file: False)
    assert "postgres cannot read the key" in caught.value.what
    assert "chgrp postgres /etc/db.key" in caught.value.fix
    prove(target, (READER,), Path("/x"), lambda account, file: None)


def test_what_the_configuration_names_is_kept() -> None:
    """Owner, group or mode that the target names are an administrator's decision, and nothing is opened."""
    assert readable(CLOSED, (READER,), is_decided=True) == CLOSED


def test_a_reader_that_depends_on_the_configuration_refuses_nothing() -> None:
    """stunnel reads the key as its own account with setuid alone: where it cannot, that stops no deployment."""
    target = TargetConfig(name="tunnel", kind="stunnel", certificate="/etc/c", key="/etc/k")
    prove(target, (replace(READER, is_certain=False),), Path("/x"), lambda account, file: False)


def _way(*modes: int) -> tuple[Level, ...]:
    return tuple(Level(1, number, 0, 0, mode) for number, mode in enumerate(modes))


KEY_PLACE = Place(path=Path("/etc/k"), file="privkey.pem", was="file", ours=".certdeck-web/current/privkey.pem")


def test_a_key_that_everybody_reads_is_closed() -> None:
    """The new key of a known service is closed to others, and stays so where a closed folder did it before."""
    target = TargetConfig(name="web", kind="nginx", certificate="/etc/c", key="/etc/k")
    there = Copy(content=b"", attributes=Attributes(mode=0o644), way=_way(0o755, 0o755), changed_at=0)
    assert closed(target, KEY_PLACE, there, there.attributes).mode == 0o640
    hidden = replace(there, way=_way(0o755, 0o750))
    assert closed(replace(target, kind="files"), KEY_PLACE, hidden, hidden.attributes) == hidden.attributes


def test_an_open_key_of_an_unknown_service_keeps_its_mode() -> None:
    """Where it is not known who reads the key, closing it could stop a service: its mode stays, and `target test` reports it."""
    there = Copy(content=b"", attributes=Attributes(mode=0o644), way=_way(0o755, 0o755), changed_at=0)
    files = TargetConfig(name="web", kind="files", certificate="/etc/c", key="/etc/k")
    for each in (files, replace(files, kind="nginx", in_place=True)):
        assert closed(each, KEY_PLACE, there, there.attributes) == there.attributes
