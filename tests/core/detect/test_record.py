"""What `status` knows of services that serve somebody else's certificate, without looking for them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from core.config.model import TargetConfig
from core.store import detected
from core.store.index import Facts
from core.workflows.detecting.detect import detect
from tests.support.clock import NOON
from tests.support.fake_detect import SERVICES
from tests.support.services import Box

ENDS = ["postgres://127.0.0.1:5432", "127.0.0.1:465", "smtp://127.0.0.1:25", "127.0.0.1:443", "127.0.0.1:8443"]


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box.at(tmp_path)


def test_the_one_that_ends_first_is_first(box: Box) -> None:
    """What was found last is shown without asking anybody, judged by the clock of now."""
    detected.save(box.paths, SERVICES, NOON)
    found = detected.unmanaged(box.paths, tuple, NOON)
    assert [each.address for each in found] == ENDS
    later = detected.unmanaged(box.paths, tuple, found[-1].not_after - timedelta(days=2))
    assert (later[-1].severity, later[-1].days_left, later[-1].seen) == ("red", 2, NOON)


def test_monitoring_compares_only_what_is_about_to_expire(box: Box) -> None:
    """With `urgent_only`, green ones are left out, and the certificates of this box are read only if another one is left."""
    asked: list[int] = []

    def facts_of_all() -> tuple[Facts, ...]:
        asked.append(1)
        return ()

    detected.save(box.paths, SERVICES[:1], NOON)
    assert detected.unmanaged(box.paths, facts_of_all, NOON, urgent_only=True) == ()
    assert not asked
    detected.save(box.paths, SERVICES, NOON)
    found = detected.unmanaged(box.paths, facts_of_all, NOON, urgent_only=True)
    assert (len(asked), {each.severity for each in found}) == (1, {"yellow", "red"})
    assert found == tuple(each for each in detected.unmanaged(box.paths, tuple, NOON) if each.severity != "green")


def test_what_is_ours_is_not_unmanaged(box: Box) -> None:
    """A certificate that has become one of certdeck's is no longer listed, though nobody has looked since."""
    detected.save(box.paths, SERVICES, NOON)
    ours = cast("Facts", SimpleNamespace(sha256=SERVICES[0].listeners[0].sha256, targets=()))
    assert [each.address for each in detected.unmanaged(box.paths, lambda: (ours,), NOON)] == [
        each for each in ENDS if each != "127.0.0.1:443"
    ]


def test_what_a_target_of_ours_serves_is_told_elsewhere(box: Box) -> None:
    """The address of a target that carries a certificate is not listed, whatever was seen there before it did."""
    detected.save(box.paths, SERVICES, NOON)
    ours = cast("Facts", SimpleNamespace(sha256="", targets=("mail", "gone")))
    targets = {"mail": TargetConfig(name="mail", probe=("smtp://127.0.0.1:25",)), "other": TargetConfig(name="other")}
    found = [each.address for each in detected.unmanaged(box.paths, lambda: (ours,), NOON, targets)]
    assert found == [each for each in ENDS if each != "smtp://127.0.0.1:25"]


@pytest.mark.parametrize("text", [b"", b"{", b'{"at": 1}', b'{"at": "2026-01-01T00:00:00Z", "presented": [["short"]]}'])
def test_a_damaged_record_is_no_record(box: Box, text: bytes) -> None:
    """What cannot be read is left out: the next look writes it anew."""
    box.paths.state.mkdir(parents=True, exist_ok=True)
    box.paths.detected.write_bytes(text)
    assert detected.unmanaged(box.paths, tuple, NOON) == ()


def test_looking_keeps_what_it_found(box: Box) -> None:
    """A box without services is remembered as one."""
    assert detect(box.context) == ()
    record = detected.load(box.paths)
    assert record is not None
    assert (record.at, record.presented) == (box.context.env.clock.now(), ())
