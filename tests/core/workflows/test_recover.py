from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.config.model import LineageConfig
from core.events import Recovered, Warned
from core.ports import Completed
from core.store import journal, lineages
from core.workflows.deploying.inflight import SWITCHING, InFlight
from core.workflows.deploying.recover import recover
from tests.support.changing import Changing
from tests.support.services import Box

SHOP = LineageConfig(name="shop", domains=("shop.example.com",), targets=("web",))
HANGS = Completed(returncode=-15, output="", timed_out=True)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """A home without lineages and without services."""
    return Box.at(tmp_path / "home")


def interrupted(box: Box, spec: LineageConfig = SHOP) -> None:
    """Leave the state of a deployment that died right after its switch."""
    version, leaf = box.store(spec)
    targets = tuple(box.context.config.targets[name] for name in spec.targets)
    changing = [Changing(target) for target in targets]
    flight = InFlight(
        lineage=spec.name,
        version=version,
        live_before=lineages.live_version(box.paths, spec.name),
        targets=targets,
        changes=tuple(each.change for each in changing),
        spec=spec,
    )
    flight.write(box.context, SWITCHING)
    contents = {"fullchain.pem": leaf.fullchain_pem, "privkey.pem": leaf.key_pem}
    for each in changing:
        each.stage(contents)
        each.adopt()
        each.switch()
    lineages.switch(box.paths, spec.name, version)


def test_the_next_run_undoes_an_interrupted_deployment(box: Box, tmp_path: Path) -> None:
    """What was not verified when a run died is taken back everywhere, and the service is told to read the old pair again."""
    service, old = box.serving(tmp_path / "tls")
    interrupted(box)
    service.command("reload")
    recover(box.context)
    assert service.pair() == (old.fullchain_pem, old.key_pem)
    assert service.serves == old.fullchain_pem
    assert lineages.live_version(box.paths, "shop") is None
    assert lineages.waiting_version(box.paths, "shop") == 1
    assert box.events(Recovered) == ["Recovered"]


def test_a_recovery_that_cannot_be_confirmed_is_said(box: Box, tmp_path: Path) -> None:
    """When the service does not reload the old pair, recovering warns with what to do and stops nothing."""
    service, old = box.serving(tmp_path / "tls")
    interrupted(box)
    service.reload_answers = [HANGS]
    recover(box.context)
    assert service.pair() == (old.fullchain_pem, old.key_pem)
    warnings = [r.event for r in box.told if isinstance(r.event, Warned)]
    assert [w.code for w in warnings] == ["recovery-unfinished"]
    assert "web reload" in warnings[0].fix


def test_a_record_that_cannot_be_read_stops_nothing(box: Box) -> None:
    """A damaged record is said with its path and stays; recovering goes on with the others."""
    box.paths.transactions.mkdir(parents=True)
    (box.paths.transactions / "bad.json").write_text('{"phase": "switching"}')
    interrupted(box, replace(SHOP, targets=()))
    recover(box.context)
    assert journal.names(box.paths) == ("bad",)
    warnings = [r.event for r in box.told if isinstance(r.event, Warned)]
    assert len(warnings) == 1
    assert "bad.json" in warnings[0].what


@pytest.mark.parametrize("left", ["cannot be read", "cannot be undone"])
def test_a_broken_record_stops_no_other_service(box: Box, tmp_path: Path, left: str) -> None:
    """One deployment that cannot be put in order keeps no certificate from the services that it has nothing to do with."""
    box.serving(tmp_path / "tls")
    other, _ = box.serving(tmp_path / "mail", "mail")
    interrupted(box)
    if left == "cannot be read":
        (box.paths.transactions / "shop.json").write_text("{")
    else:
        shutil.rmtree(tmp_path / "tls")
        (tmp_path / "tls").write_text("a file now")
    _, leaf = box.put(LineageConfig(name="mail", domains=("mail.example.com",), targets=("mail",)))
    assert other.serves == leaf.fullchain_pem
    assert journal.names(box.paths) == ("shop",)


@pytest.mark.parametrize("text", ["{", "[]", '{"phase": "switching"}'])
def test_an_unreadable_record_blocks_no_certificate(box: Box, tmp_path: Path, text: str) -> None:
    """A record of the same lineage that cannot be read is moved aside with a warning, and the next deployment goes through."""
    service, _ = box.serving(tmp_path / "tls")
    interrupted(box)
    (box.paths.transactions / "shop.json").write_text(text)
    _, leaf = box.put(SHOP)
    assert service.serves == leaf.fullchain_pem
    assert journal.names(box.paths) == ()
    [kept] = box.paths.set_aside.iterdir()
    assert kept.read_text() == text
    warnings = [r.event for r in box.told if isinstance(r.event, Warned)]
    assert [warning.code for warning in warnings] == ["record-set-aside"]
    assert str(kept) in warnings[0].what


def test_a_record_of_the_same_service_is_undone_first(box: Box, tmp_path: Path) -> None:
    """A deployment to a service on which another one was interrupted undoes that one first: it would undo this one later."""
    service, old = box.serving(tmp_path / "tls")
    interrupted(box)
    _, leaf = box.put(LineageConfig(name="mail", domains=("mail.example.com",), targets=("web",)))
    assert journal.names(box.paths) == ()
    recover(box.context)
    assert service.serves == leaf.fullchain_pem
    assert service.pair() == (leaf.fullchain_pem, leaf.key_pem)
    assert (tmp_path / "tls/.certdeck-web/0/fullchain.pem").read_bytes() == old.fullchain_pem


ODD: tuple[object, ...] = (None, 7, 10**30, "", "..", "../../etc/passwd", "a\0b", [], {}, [["x"]], True, 1.5)


def test_an_odd_record_is_said_and_touches_nothing(box: Box, tmp_path: Path) -> None:
    """Whatever somebody makes of a record: it is refused in words or ends as it should, and no other file is changed."""
    box.serving(tmp_path / "tls")
    other, _ = box.serving(tmp_path / "mail", "mail")
    foreign = tmp_path / "foreign.txt"
    foreign.write_text("mine")
    interrupted(box)
    record = json.loads((box.paths.transactions / "shop.json").read_text())
    changed = [{**record, key: odd} for key in record for odd in ODD]
    changed += [
        {**record, "targets": [{**record["targets"][0], key: odd}]} for key in record["targets"][0] for odd in ODD
    ]
    changed += [{**record, "spec": {**record["spec"], key: odd}} for key in record["spec"] for odd in ODD]
    changed += [{**record, "targets": record["targets"] * 2}, {**record, "changes": []}, {**record, "lineage": "other"}]
    refused = 0
    for each in changed:
        (box.paths.transactions / "shop.json").write_text(json.dumps(each))
        box.told.clear()
        recover(box.context)
        warnings = [r.event for r in box.told if isinstance(r.event, Warned)]
        refused += any("shop.json" in warning.what for warning in warnings)
        assert foreign.read_text() == "mine"
        assert sorted(path.name for path in (tmp_path / "mail").iterdir()) == ["mail.crt", "mail.key"]
    assert refused > len(changed) * 3 // 4
    (box.paths.transactions / "shop.json").unlink(missing_ok=True)
    _, leaf = box.put(replace(SHOP, targets=("mail",)))
    assert other.serves == leaf.fullchain_pem


def test_a_record_with_paths_that_the_target_does_not_have_is_refused(box: Box, tmp_path: Path) -> None:
    """A record could overwrite any file by naming it as its target's; now the configuration has to know the path."""
    box.serving(tmp_path / "tls")
    interrupted(box)
    path = box.paths.transactions / "shop.json"
    secret = tmp_path / "shadow"
    secret.mkdir()
    for name in ("web.crt", "web.key"):
        (secret / name).write_text("theirs")
    path.write_text(path.read_text().replace(str(tmp_path / "tls"), str(secret)))
    recover(box.context)
    [warning] = [r.event for r in box.told if isinstance(r.event, Warned)]
    assert "lists " in warning.what
    assert "[targets.web]" in warning.fix
    assert [file.read_text() for file in sorted(secret.iterdir())] == ["theirs", "theirs"]
    assert path.exists()


def test_a_target_that_was_removed_from_the_configuration_is_still_put_back(box: Box, tmp_path: Path) -> None:
    """An interrupted deployment is undone although its target is not configured any more: its links are certdeck's own."""
    service, old = box.serving(tmp_path / "tls")
    interrupted(box)
    del box.services.by_name["web"]
    recover(box.context)
    assert service.pair() == (old.fullchain_pem, old.key_pem)
