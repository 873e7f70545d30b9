from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from core.config.edit import write_lineage
from core.config.load import lineage_names, load_lineage
from core.config.model import LineageConfig
from core.errors import (
    Cancelled,
    CertdeckError,
    ConfigError,
    ConfigTestFailed,
    NotFound,
    ProbeMismatch,
    ReloadFailed,
    StageFailed,
    StoreCorrupt,
)
from core.events import KeyUsed, TargetRolledBack, VersionSwitched, Warned
from core.ports import CancelToken, Completed
from core.store import journal, lineages, renewal_state
from core.workflows.deploying.deploy import deploy, release_target, rollback
from core.workflows.deploying.transaction import deploy_version
from tests.support.authority import self_signed
from tests.support.services import Box, Service

SHOP = LineageConfig(name="shop", domains=("shop.example.com",), targets=("web",))
REFUSES = Completed(returncode=1, output="service: [emerg] unknown directive\n\x1b[31mservice: test failed\x1b[0m\n")
HANGS = Completed(returncode=-15, output="", timed_out=True)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """A home without lineages and without services."""
    return Box.at(tmp_path / "home")


def live_pair(box: Box, name: str = "shop") -> tuple[bytes, bytes]:
    folder = box.paths.live / name
    return (folder / "fullchain.pem").read_bytes(), (folder / "privkey.pem").read_bytes()


def refused(box: Box, spec: LineageConfig = SHOP) -> CertdeckError:
    """Store a version, try to deploy it, and return the refusal."""
    with pytest.raises(CertdeckError) as caught:
        box.put(spec)
    assert journal.names(box.paths) == ()
    return caught.value


# -- success ---------------------------------------------------------------------------------------------------------------


def test_a_new_version_goes_live_everywhere(box: Box, tmp_path: Path) -> None:
    """A deployment tests, reloads and looks, and then live/NAME, the target's files and the service agree (SF-15)."""
    service, _ = box.serving(tmp_path / "tls")
    version, leaf = box.store(SHOP)
    states = deploy_version(box.context, "shop", version, [service.target], spec=SHOP)
    assert service.did == ["test", "reload"]
    assert service.serves == leaf.fullchain_pem
    assert service.pair() == live_pair(box) == (leaf.fullchain_pem, leaf.key_pem)
    assert [(s.name, s.state, s.served_sha256) for s in states] == [("web", "deployed", leaf.sha256)]
    assert box.events() == [
        "KeyUsed", "TargetStaged", "VersionSwitched", "TargetSwitched", "TargetTested", "TargetReloaded", "TargetProbed",
    ]  # fmt: skip
    assert load_lineage(box.paths, "shop") == SHOP
    assert renewal_state.load(box.paths, "shop").targets["web"]["sha256"] == leaf.sha256
    assert journal.names(box.paths) == ()


def test_without_targets_only_live_switches(box: Box) -> None:
    """A lineage without targets is deployed by one switch of live/NAME."""
    spec = replace(SHOP, targets=())
    _, leaf = box.put(spec)
    assert live_pair(box) == (leaf.fullchain_pem, leaf.key_pem)
    assert box.events(VersionSwitched) == ["VersionSwitched"]
    assert load_lineage(box.paths, "shop") == spec
    assert journal.names(box.paths) == ()


def test_a_target_without_commands_gets_its_files(box: Box, tmp_path: Path) -> None:
    """A target with neither test nor reload nor probe is deployed when its files are there; nothing else is told (SF-24)."""
    service = box.services.add(tmp_path / "tls", "web")
    service.target = replace(service.target, test=(), reload=(), probe=())
    _, leaf = box.put(SHOP)
    assert service.pair() == (leaf.fullchain_pem, leaf.key_pem)
    assert service.did == []
    assert box.events() == ["KeyUsed", "TargetStaged", "VersionSwitched", "TargetSwitched"]


def test_old_keys_are_sealed_at_the_commit(box: Box, tmp_path: Path) -> None:
    """Once another version is live the key of the one before is in the open nowhere, beside the target neither."""
    box.serving(tmp_path / "tls")
    _, first = box.put(SHOP)
    box.put(SHOP)
    third, _ = box.put(SHOP)
    assert lineages.live_version(box.paths, "shop") == third
    for folder in (box.paths.state, tmp_path / "tls"):
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                assert first.key_pem not in path.read_bytes(), path


def test_a_target_is_taken_over(box: Box, tmp_path: Path) -> None:
    """A target that gets another lineage's certificate belongs to that lineage from then on, and only to it."""
    box.serving(tmp_path / "tls")
    box.put(SHOP)
    other = LineageConfig(name="mail", domains=("mail.example.com",), targets=("web",))
    box.put(other)
    assert load_lineage(box.paths, "shop").targets == ()
    assert load_lineage(box.paths, "mail").targets == ("web",)


def test_a_takeover_that_fails_leaves_the_owner(box: Box, tmp_path: Path) -> None:
    """When the new lineage's certificate is refused the target still belongs to the old one, and the new one waits."""
    service, _ = box.serving(tmp_path / "tls")
    _, leaf = box.put(SHOP)
    service.test_answers = [REFUSES]
    other = LineageConfig(name="mail", domains=("mail.example.com",), targets=("web",))
    refused(box, other)
    assert load_lineage(box.paths, "shop").targets == ("web",)
    assert lineage_names(box.paths) == ("mail", "shop")
    assert load_lineage(box.paths, "mail").targets == ()
    assert lineages.waiting_version(box.paths, "mail") == 1
    assert lineages.live_version(box.paths, "mail") is None
    assert service.serves == leaf.fullchain_pem
    deploy(box.context, "mail")
    assert load_lineage(box.paths, "mail").targets == ("web",)
    assert load_lineage(box.paths, "shop").targets == ()


def test_services_that_share_commands_are_reloaded_once(box: Box, tmp_path: Path) -> None:
    """Two targets of one service run its test and its reload once."""
    first, _ = box.serving(tmp_path / "tls", "web")
    second, _ = box.serving(tmp_path / "tls", "mail")
    second.target = replace(second.target, test=first.target.test, reload=first.target.reload, probe=())
    box.put(replace(SHOP, targets=("web", "mail")))
    assert (first.did, second.did) == (["test", "reload"], [])


# -- failures --------------------------------------------------------------------------------------------------------------


def _test_refuses(service: Service) -> None:
    service.test_answers = [REFUSES]


def _test_hangs(service: Service) -> None:
    service.test_answers = [HANGS]


def _test_missing(service: Service) -> None:
    service.target = replace(service.target, test=("no-such-program", "-t"))


def _reload_refuses(service: Service) -> None:
    service.reload_answers = [REFUSES]


def _reload_hangs(service: Service) -> None:
    service.reload_answers = [HANGS]


def _serves_another(service: Service) -> None:
    service.is_deaf = True


FAILURES = [
    pytest.param(
        _test_refuses,
        ConfigTestFailed,
        "web test exited with status 1: service: [emerg] unknown directive.",
        id="test-refuses",
    ),
    pytest.param(_test_hangs, ConfigTestFailed, "did not finish within 60 s", id="test-hangs"),
    pytest.param(_test_missing, ConfigTestFailed, "no such program", id="test-missing"),
    pytest.param(_reload_refuses, ReloadFailed, "web reload exited with status 1", id="reload-refuses"),
    pytest.param(_reload_hangs, ReloadFailed, "did not finish within 60 s", id="reload-hangs"),
    pytest.param(_serves_another, ProbeMismatch, "presents a different certificate", id="serves-another"),
]


@pytest.mark.parametrize(("spoil", "kind", "why"), FAILURES)
@pytest.mark.parametrize("is_first", [True, False], ids=["first-deployment", "later"])
def test_a_failed_step_puts_everything_back(
    box: Box, tmp_path: Path, spoil: object, kind: type[CertdeckError], why: str, is_first: bool
) -> None:
    """Whatever step fails, the old pair is back in files, live/NAME and service, and the new version waits (ST-41)."""
    service, old = box.serving(tmp_path / "tls")
    if not is_first:
        _, old = box.put(SHOP)
    before = service.pair()
    live = lineages.live_version(box.paths, "shop")
    spoil(service)
    error = refused(box)
    assert type(error) is kind
    assert why in error.why
    assert "The previous certificate is live." in error.why
    assert error.fix.endswith("Then run `certdeck deploy shop`.")
    assert error.details["live"] == "old"
    assert error.details["target"] == "web"
    assert error.lineage == "shop"
    assert service.pair() == before == (old.fullchain_pem, old.key_pem)
    assert service.serves == old.fullchain_pem
    assert lineages.live_version(box.paths, "shop") == live
    assert lineages.waiting_version(box.paths, "shop") == (live or 0) + 1
    assert box.events(TargetRolledBack) == ["TargetRolledBack"]
    remembered = renewal_state.load(box.paths, "shop")
    assert remembered.last_error is not None
    assert remembered.last_error["code"] == kind.code
    assert remembered.targets["web"]["state"] == "failed"
    assert not Path(service.target.certificate).is_symlink() or not is_first


def test_the_waiting_version_is_deployed_later(box: Box, tmp_path: Path) -> None:
    """After the service is fixed `deploy` puts the waiting version on it and the failure is forgotten."""
    service, _ = box.serving(tmp_path / "tls")
    box.put(SHOP)
    service.test_answers = [REFUSES]
    refused(box)
    done = deploy(box.context, "shop")
    assert done.version == 2
    assert [s.state for s in done.targets] == ["deployed"]
    assert lineages.waiting_version(box.paths, "shop") is None
    remembered = renewal_state.load(box.paths, "shop")
    assert remembered.last_error is None
    assert remembered.targets["web"]["state"] == "deployed"


def test_output_of_the_test_is_shown_harmlessly(box: Box, tmp_path: Path) -> None:
    """The error carries the program's own last lines without its terminal codes."""
    service, _ = box.serving(tmp_path / "tls")
    service.test_answers = [REFUSES]
    error = refused(box)
    assert error.details["output"] == "service: [emerg] unknown directive\nservice: test failed"


@pytest.mark.parametrize("spoil", [_test_refuses, _reload_refuses, _serves_another])
def test_several_targets_all_or_none(box: Box, tmp_path: Path, spoil: object) -> None:
    """When the second of two services refuses, the first one, reloaded or not, serves the old certificate too (SO-41, SF-24)."""
    first, old = box.serving(tmp_path / "tls", "web")
    second, other = box.serving(tmp_path / "mail", "mail")
    spoil(second)
    error = refused(box, replace(SHOP, targets=("web", "mail")))
    assert error.details["target"] == "mail"
    assert error.details["live"] == "old"
    assert (first.pair(), first.serves) == ((old.fullchain_pem, old.key_pem), old.fullchain_pem)
    assert (second.pair(), second.serves) == ((other.fullchain_pem, other.key_pem), other.fullchain_pem)
    assert box.events(TargetRolledBack) == ["TargetRolledBack"] * 2


def test_what_cannot_be_confirmed_is_said(box: Box, tmp_path: Path) -> None:
    """When the reload with the old pair fails too, the files are back and the error says that nobody knows what is served."""
    service, old = box.serving(tmp_path / "tls")
    service.reload_answers = [REFUSES, HANGS]
    error = refused(box)
    assert error.details["live"] == "unknown"
    assert "could not confirm" in error.why
    assert "reload it manually" in error.fix
    assert service.pair() == (old.fullchain_pem, old.key_pem)


def test_a_mismatched_pair_is_refused_before_anything(box: Box, tmp_path: Path) -> None:
    """A key that does not belong to the certificate never reaches a service: its own test might not notice (ST-40)."""
    service, old = box.serving(tmp_path / "tls")
    version, _ = box.store(SHOP, key=self_signed(["x.example.com"]).key_pem)
    with pytest.raises(StoreCorrupt) as caught:
        deploy_version(box.context, "shop", version, [service.target], spec=SHOP)
    assert "does not match this certificate" in caught.value.why
    assert service.did == []
    assert service.pair() == (old.fullchain_pem, old.key_pem)
    assert box.told == []


def test_a_broken_lineage_file_is_refused_before_anything(box: Box, tmp_path: Path) -> None:
    """Settings that could not be written at the commit stop a deployment before it begins."""
    service, _ = box.serving(tmp_path / "tls")
    write_lineage(box.paths, SHOP)
    (box.paths.certificates / "shop.toml").write_text("domains = [")
    assert type(refused(box)) is ConfigError
    assert service.did == []


def test_an_unknown_kind_is_refused_before_anything(box: Box, tmp_path: Path) -> None:
    """A target of a kind that nobody knows is refused with the known ones."""
    service, _ = box.serving(tmp_path / "tls")
    service.target = replace(service.target, kind="haproxi")
    why = refused(box).why
    assert "Did you mean 'haproxy'?" in why
    assert "files" in why
    assert box.told == []


def test_a_missing_folder_is_refused_before_anything(box: Box, tmp_path: Path) -> None:
    """A target whose folder is missing is refused with the command that makes it; the other target is left alone."""
    service, old = box.serving(tmp_path / "tls")
    gone = box.services.add(tmp_path / "mail", "mail")
    (tmp_path / "mail").rmdir()
    error = refused(box, replace(SHOP, targets=("web", "mail")))
    assert type(error) is StageFailed
    assert "mkdir -p" in error.fix
    assert service.pair() == (old.fullchain_pem, old.key_pem)
    assert not Path(gone.target.certificate).parent.exists()


# -- a first deployment ----------------------------------------------------------------------------------------------------


def test_a_service_that_waits_for_its_first_certificate(box: Box, tmp_path: Path) -> None:
    """Where nothing was before and the service does not run, the files stay: without them it could never start."""
    service = box.services.add(tmp_path / "tls", "web")
    service.is_running = False
    version, leaf = box.store(SHOP)
    states = deploy_version(box.context, "shop", version, [service.target], spec=SHOP)
    assert [(s.state, s.why) for s in states] == [
        ("unknown", "its service is not running; it reads the files when it starts")
    ]
    assert service.pair() == (leaf.fullchain_pem, leaf.key_pem)
    warnings = [r.event for r in box.told if isinstance(r.event, Warned)]
    assert [w.code for w in warnings] == ["service-not-running"]
    assert lineages.live_version(box.paths, "shop") == version


def test_a_stopped_service_keeps_its_old_pair(box: Box, tmp_path: Path) -> None:
    """Where an old pair was, a service that does not run is a failed reload, and it will start with the old pair."""
    service, old = box.serving(tmp_path / "tls")
    service.is_running = False
    error = refused(box)
    assert type(error) is ReloadFailed
    assert error.details["live"] == "old"
    assert error.fix.startswith("Start the service")
    assert service.pair() == (old.fullchain_pem, old.key_pem)


def test_a_failed_first_deployment_leaves_nothing(box: Box, tmp_path: Path) -> None:
    """Where nothing was before, nothing is there after a failed test."""
    service = box.services.add(tmp_path / "tls", "web")
    service.test_answers = [REFUSES]
    error = refused(box)
    assert "there is none now" in error.why
    assert list((tmp_path / "tls").iterdir()) == []


# -- stopping --------------------------------------------------------------------------------------------------------------


def test_stopping_before_the_switch_changes_nothing(box: Box, tmp_path: Path) -> None:
    """Somebody who cancels before the switch finds everything as it was."""
    service, old = box.serving(tmp_path / "tls")
    box.cancel.cancel()
    assert type(refused(box)) is Cancelled
    assert service.pair() == (old.fullchain_pem, old.key_pem)
    assert sorted(path.name for path in (tmp_path / "tls").iterdir()) == ["web.crt", "web.key"]


@pytest.mark.parametrize("probe", [True, False], ids=["looked at", "not looked at"])
def test_stopping_after_the_switch_puts_everything_back(box: Box, tmp_path: Path, probe: bool) -> None:
    """A cancel that comes while the service is tested does not leave the transaction in between: the old pair is served again."""
    service, old = box.serving(tmp_path / "tls")
    target = service.target if probe else replace(service.target, probe=())
    version, _ = box.store(SHOP)
    token = CancelToken()

    class Cancelling:
        def run(self, *args: object, **kwargs: object) -> Completed:
            token.cancel()
            return box.services.run(*args, **kwargs)

    context = box.context
    context = replace(context, cancel=token, env=type(context.env)(**{**vars(context.env), "runner": Cancelling()}))
    reloads = service.did.count("reload")
    with pytest.raises(Cancelled):
        deploy_version(context, "shop", version, [target], spec=SHOP)
    assert service.did.count("reload") == reloads
    assert service.serves == old.fullchain_pem
    assert service.pair() == (old.fullchain_pem, old.key_pem)
    assert journal.names(box.paths) == ()


# -- deploy and rollback as operations ---------------------------------------------------------------------------------------


def test_deploy_repeats_the_live_version(box: Box, tmp_path: Path) -> None:
    """`deploy` without anything waiting puts the live version onto its targets once more, over an outside change."""
    service, _ = box.serving(tmp_path / "tls")
    version, leaf = box.put(SHOP)
    Path(service.target.certificate).unlink()
    Path(service.target.certificate).write_bytes(b"edited")
    assert deploy(box.context, "shop").version == version
    assert service.pair() == (leaf.fullchain_pem, leaf.key_pem)


def test_deploy_moves_a_lineage_to_other_targets(box: Box, tmp_path: Path) -> None:
    """`deploy` with targets is from now on."""
    box.serving(tmp_path / "tls")
    mail, _ = box.serving(tmp_path / "mail", "mail")
    _, leaf = box.put(SHOP)
    deploy(box.context, "shop", ["mail"])
    assert mail.serves == leaf.fullchain_pem
    assert load_lineage(box.paths, "shop").targets == ("mail",)
    with pytest.raises(NotFound) as caught:
        deploy(box.context, "shop", ["post"])
    assert "post" in caught.value.what


def test_deploy_needs_a_certificate(box: Box) -> None:
    """A lineage that was never issued, or that does not exist, has nothing to deploy."""
    write_lineage(box.paths, SHOP)
    for name in ("shop", "nobody"):
        with pytest.raises(NotFound) as caught:
            deploy(box.context, name)
        assert name in caught.value.what


def test_rollback_goes_back_one_version_at_a_time(box: Box, tmp_path: Path) -> None:
    """`rollback` serves the version before the live one, its sealed key opened; twice goes two back; then there is none."""
    service, _ = box.serving(tmp_path / "tls")
    leaves = [box.put(SHOP)[1] for _ in range(3)]
    for back in (2, 1):
        assert rollback(box.context, "shop").version == back
        assert service.pair() == live_pair(box) == (leaves[back - 1].fullchain_pem, leaves[back - 1].key_pem)
        assert service.serves == leaves[back - 1].fullchain_pem
        assert lineages.waiting_version(box.paths, "shop") is None
    with pytest.raises(NotFound) as caught:
        rollback(box.context, "shop")
    assert "no earlier version" in caught.value.what
    used = [r.event.key for r in box.told if isinstance(r.event, KeyUsed) and r.event.purpose == "roll back"]
    assert used == ["lineage/shop/2", "lineage/shop/1"]


def test_a_failed_rollback_changes_nothing(box: Box, tmp_path: Path) -> None:
    """A rollback whose test fails leaves the newer version live and the older key sealed."""
    service, _ = box.serving(tmp_path / "tls")
    box.put(SHOP)
    _, second = box.put(SHOP)
    service.test_answers = [REFUSES]
    with pytest.raises(ConfigTestFailed):
        rollback(box.context, "shop")
    assert service.pair() == live_pair(box) == (second.fullchain_pem, second.key_pem)
    assert not (lineages.folder(box.paths, "shop", 1) / "privkey.pem").exists()


def test_the_command_of_an_error_does_the_same_deployment_again(box: Box, tmp_path: Path) -> None:
    """It names the version and the targets where `certdeck deploy NAME` alone would do something else, and report success."""
    service, _ = box.serving(tmp_path / "tls")
    box.put(replace(SHOP, targets=()))
    service.test_answers = [REFUSES]
    with pytest.raises(ConfigTestFailed) as refused_target:
        deploy(box.context, "shop", ("web",))
    assert refused_target.value.fix.endswith("Then run `certdeck deploy shop --target web`.")
    box.put(SHOP)
    service.test_answers = [REFUSES]
    with pytest.raises(ConfigTestFailed) as refused_rollback:
        rollback(box.context, "shop")
    assert refused_rollback.value.fix.endswith("Then run `certdeck deploy shop --version 1`.")


def test_rolling_back_to_an_expired_certificate_is_said(box: Box) -> None:
    """Going back to a version that has expired is done, with a warning."""
    spec = replace(SHOP, targets=())
    version, _ = box.store(spec, box.authority.leaf(["shop.example.com"], days_left=-1))
    deploy_version(box.context, "shop", version, [], spec=spec)
    box.put(spec)
    assert rollback(box.context, "shop").version == version
    assert [r.event.code for r in box.told if isinstance(r.event, Warned)] == ["rolled-back-to-expired"]


def test_a_released_target_keeps_its_files(box: Box, tmp_path: Path) -> None:
    """A target that is let go serves on from plain files."""
    service, _ = box.serving(tmp_path / "tls")
    _, leaf = box.put(SHOP)
    release_target(box.context, service.target)
    assert service.pair() == (leaf.fullchain_pem, leaf.key_pem)
    assert sorted(path.name for path in (tmp_path / "tls").iterdir()) == ["web.crt", "web.key"]


def test_settings_that_could_not_be_written_are_refused_before_the_switch(box: Box) -> None:
    """The commit failed on them at every run, and the certificate was live under a name that nobody listed."""
    error = refused(box, replace(SHOP, targets=(), profile="a\nb"))
    assert isinstance(error, ConfigError)
    assert lineages.live_version(box.paths, "shop") is None
