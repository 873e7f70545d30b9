"""A folder that went read-only: refused in words before anything is ordered, switched or removed."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from core.errors import StoreNotWritable
from core.operations import IssueRequest
from core.store.lineages import DELETING
from tests.support.appliance import Appliance

NAME = "shop.example.com"


def make_read_only(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let no file be made below `folder`, as where its mode or its file system forbids it; root passes over modes."""
    really, asked = os.open, os.access

    def refuse(path: Any, flags: int, *args: Any, **options: Any) -> int:
        if flags & os.O_CREAT and Path(os.fsdecode(path)).is_relative_to(folder):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return really(path, flags, *args, **options)

    def forbid(path: Any, mode: int, **options: Any) -> bool:
        return asked(path, mode, **options) and not (mode & os.W_OK and Path(path).is_relative_to(folder))

    patch.setattr(os, "open", refuse)
    patch.setattr(os, "access", forbid)


def test_no_order_is_spent_when_settings_cannot_be_kept(appliance: Appliance, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a read-only etc/ a certificate was ordered and deployed, and its settings could never be written."""
    appliance.issue("first.example.com")
    before = appliance.ca.count("/new-order")
    with monkeypatch.context() as patch:
        make_read_only(patch, appliance.paths.etc)
        with pytest.raises(StoreNotWritable, match=r"certificates\.d"):
            appliance.engine.issue(IssueRequest(domains=(NAME,)))
    assert appliance.ca.count("/new-order") == before
    assert not (appliance.paths.live / NAME).is_symlink()
    assert [each.name for each in appliance.engine.status().lineages] == ["first.example.com"]


def test_a_renewal_needs_no_writable_settings(appliance: Appliance, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that stay as they are need not be written: a box with a read-only etc/ goes on renewing."""
    appliance.issue(NAME)
    with monkeypatch.context() as patch:
        make_read_only(patch, appliance.paths.etc)
        assert appliance.engine.renew(force=True).renewed == (NAME,)


def test_a_delete_that_was_refused_stays_refused(appliance: Appliance, monkeypatch: pytest.MonkeyPatch) -> None:
    """A delete that failed on a read-only etc/ left its mark, and a later run finished it although an error had been said."""
    appliance.issue(NAME)
    with monkeypatch.context() as patch:
        make_read_only(patch, appliance.paths.etc)
        with pytest.raises(StoreNotWritable):
            appliance.engine.delete(NAME)
    assert not (appliance.paths.lineages / NAME / DELETING).exists()
    assert appliance.engine.deleted() == ()
    assert [each.name for each in appliance.engine.status().lineages] == [NAME]


@pytest.mark.parametrize("place", ["etc", "state", "run"])
def test_the_doctor_sees_a_read_only_folder(appliance: Appliance, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """The doctor called a box healthy on which nothing could be written."""
    appliance.issue(NAME)
    with monkeypatch.context() as patch:
        make_read_only(patch, getattr(appliance.paths, place))
        found = {finding.id: finding for finding in appliance.engine.doctor(name=NAME)}
    assert found["folders"].status == "fail"
    assert "does not have permission" in found["folders"].sentences
    assert {finding.id: finding for finding in appliance.engine.doctor(name=NAME)}["folders"].status == "pass"
