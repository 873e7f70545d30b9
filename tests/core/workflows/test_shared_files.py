"""Several services that read the same files: one certificate, written once, and each service told."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from core.config.load import load_lineage, parse_config
from core.config.model import LineageConfig
from core.config.sharing import sharing, with_owners
from core.errors import ConfigError, InUse, ReloadFailed
from core.ports import Completed
from core.targets.check import refuse
from core.workflows.context import Context
from core.workflows.deploying.deploy import rollback
from core.workflows.deploying.transaction import deploy_version
from core.workflows.settings.targets import remove_target
from tests.support.authority import self_signed
from tests.support.services import Box, Service

SHOP = LineageConfig(name="shop", domains=("shop.example.com",), targets=("web", "mail"))


def _services(box: Box, tmp_path: Path, **settings: object) -> tuple[Service, Service]:
    """Two services that read the same two files, with an old pair in them."""
    web = box.services.add(tmp_path / "tls", "web", **settings)
    mail = box.services.add(tmp_path / "tls", "mail", **settings)
    mail.target = replace(mail.target, certificate=web.target.certificate, key=web.target.key, files_of="web")
    old = self_signed(["old.example.com"])
    old.write(Path(web.target.certificate), Path(web.target.key))
    for each in (web, mail):
        each.serves = old.fullchain_pem
    return web, mail


def _context(box: Box, *services: Service) -> Context:
    return replace(box.context, config=replace(box.context.config, targets={s.target.name: s.target for s in services}))


@pytest.mark.parametrize("mode", ["link", "copy"])
def test_the_files_are_written_once_and_each_service_is_told(tmp_path: Path, mode: str) -> None:
    """One folder holds the pair, both services test, reload and serve it, and a rollback brings the one before back to both."""
    box = Box.at(tmp_path / "home")
    web, mail = _services(box, tmp_path, mode=mode)
    context = _context(box, web, mail)
    leaves = []
    for _ in range(2):
        version, leaf = box.store(SHOP)
        leaves.append(leaf)
        states = deploy_version(context, "shop", version, [web.target, mail.target], spec=SHOP)
        assert {each.name: each.state for each in states} == {"web": "deployed", "mail": "deployed"}
        assert web.serves == mail.serves == leaf.fullchain_pem
    assert [each.name for each in (tmp_path / "tls").glob(".certdeck-*")] == [".certdeck-web"]
    assert web.did.count("reload") == mail.did.count("reload") == 2
    rollback(context, "shop")
    assert web.serves == mail.serves == leaves[0].fullchain_pem


def test_who_names_one_of_them_gets_both(tmp_path: Path) -> None:
    """A deployment to one service tells the other one of its files too, and the certificate keeps both as its targets."""
    box = Box.at(tmp_path / "home")
    web, mail = _services(box, tmp_path)
    spec = replace(SHOP, targets=("mail",))
    version, leaf = box.store(spec)
    states = deploy_version(_context(box, web, mail), "shop", version, [mail.target], spec=spec)
    assert [each.name for each in states] == ["mail", "web"]
    assert web.serves == mail.serves == leaf.fullchain_pem
    assert load_lineage(box.paths, "shop").targets == ("mail", "web")


def test_what_one_service_refuses_is_taken_back_from_both(tmp_path: Path) -> None:
    """Where the second service fails to reload, the files are put back once, and both serve the old certificate again."""
    box = Box.at(tmp_path / "home")
    web, mail = _services(box, tmp_path)
    before, old = web.pair(), web.serves
    mail.reload_answers = [Completed(returncode=1, output="mail: fatal\n")]
    version, _ = box.store(SHOP)
    with pytest.raises(ReloadFailed):
        deploy_version(_context(box, web, mail), "shop", version, [web.target, mail.target], spec=SHOP)
    assert web.pair() == before
    assert web.serves == mail.serves == old
    assert not list((tmp_path / "tls").glob(".certdeck-*"))
    assert not Path(web.target.certificate).is_symlink()


def test_the_first_target_with_some_paths_owns_them() -> None:
    """Targets with the same paths share them without a word in the configuration; other paths are never shared."""
    text = b"".join(
        b'[targets.%s]\ncertificate = "/x/a.pem"\nkey = "/x/%s.key"\n' % each
        for each in ((b"web", b"a"), (b"mail", b"a"), (b"db", b"b"))
    )
    targets = parse_config(text, Path("certdeck.toml")).targets
    assert [targets[name].files_of for name in ("web", "mail", "db")] == [None, "web", None]
    assert with_owners(targets) == dict(targets)


def test_a_new_target_of_known_files_takes_their_settings(tmp_path: Path) -> None:
    """A target that is added for files of another one is given their owner, group and mode."""
    web = replace(Box.at(tmp_path).services.add(tmp_path / "tls", "web").target, group="ssl-cert", file_mode="0640")
    mail = replace(web, name="mail", group=None, file_mode=None)
    assert sharing(mail, [web]) == replace(web, name="mail", files_of="web")


def test_half_shared_files_and_unlike_settings_are_refused(tmp_path: Path) -> None:
    """Targets share all of their files, written in one way, or none: anything else is refused, and says what differs."""
    web = Box.at(tmp_path).services.add(tmp_path / "tls", "web").target
    mail = replace(web, name="mail")
    for other, what in (
        (replace(mail, key=f"{tmp_path}/tls/other.key"), "share the path"),
        (replace(mail, files_of="web", mode="copy"), "differ in mode"),
        (replace(mail, files_of="web", chain=f"{tmp_path}/tls/chain.pem"), "paths and layout"),
        (replace(mail, files_of="nobody"), "cannot use the files of nobody"),
    ):
        with pytest.raises(ConfigError) as caught:
            refuse([other, web], mounts=())
        assert what in caught.value.what
    refuse([web, replace(mail, files_of="web")], mounts=())


def test_files_stay_with_the_last_service_that_reads_them(tmp_path: Path) -> None:
    """The owner of shared files cannot be removed before the others; removing one of those leaves the files alone."""
    box = Box.at(tmp_path / "home")
    web, mail = _services(box, tmp_path)
    context = _context(box, web, mail)
    spec = replace(SHOP, targets=())
    version, _ = box.store(spec)
    deploy_version(context, "shop", version, [web.target, mail.target], spec=spec)
    with pytest.raises(InUse, match="mail"):
        remove_target(context, "web")
    remove_target(context, "mail")
    assert Path(web.target.certificate).is_symlink()
