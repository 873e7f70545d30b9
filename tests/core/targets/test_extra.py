"""Further files of a target, for other programs that want the same certificate in another form."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificate
from msgspec.structs import replace

from core.config.load import parse_config
from core.config.model import LineageConfig, TargetConfig
from core.errors import ConfigError, ConfigTestFailed, StageFailed
from core.extra_files import usual_files
from core.ports import Completed
from core.targets.check import refuse
from core.targets.observe import observe
from core.workflows.deploying.deploy import release_target
from core.workflows.deploying.transaction import deploy_version
from tests.support.services import Box, Service

SHOP = LineageConfig(name="shop", domains=("shop.example.com",), targets=("web",))
FORMATS = {
    "fullchain": "domain.cer",
    "certificate": "leaf.crt",
    "chain": "chain.pem",
    "key": "shop.example.com.key",
    "combined": "domain.pem",
    "key-first": "key-first.pem",
    "der": "domain.der",
    "pfx": "domain.pfx",
}


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box.at(tmp_path / "home")


def service(box: Box, folder: Path, **settings: object) -> Service:
    """Return a service whose target has every format in one folder."""
    made = box.services.add(folder, "web")
    also = tuple(f"{format}:{folder}/{name}" for format, name in FORMATS.items())
    made.target = replace(made.target, **{"also": also, **settings})
    return made


def deploy(box: Box, made: Service) -> tuple[int, object]:
    version, leaf = box.store(SHOP)
    deploy_version(box.context, "shop", version, [made.target], spec=SHOP)
    return version, leaf


def test_every_form(box: Box, tmp_path: Path) -> None:
    """Each file holds the certificate in the form that its program expects, and the secret ones are for their owner alone."""
    folder = tmp_path / "domains"
    made = service(box, folder)
    version, leaf = box.store(SHOP)
    deploy_version(box.context, "shop", version, [made.target], spec=SHOP)
    found = {format: (folder / name).read_bytes() for format, name in FORMATS.items()}
    assert found["fullchain"] == Path(made.target.certificate).read_bytes() == leaf.fullchain_pem
    assert (found["certificate"], found["chain"], found["key"]) == (leaf.certificate_pem, leaf.chain_pem, leaf.key_pem)
    assert found["combined"] == leaf.fullchain_pem + leaf.key_pem
    assert found["key-first"] == leaf.key_pem + leaf.fullchain_pem
    assert load_der_x509_certificate(found["der"]) == load_pem_x509_certificate(leaf.certificate_pem)
    pfx = load_pkcs12(found["pfx"], None)
    assert (pfx.cert is not None and pfx.cert.certificate) == load_pem_x509_certificate(leaf.certificate_pem)
    assert len(pfx.additional_certs) == 1
    for format, name in FORMATS.items():
        secret = format in ("key", "combined", "key-first", "pfx")
        assert (folder / name).stat().st_mode & 0o777 == (0o600 if secret else 0o644), name
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(folder / "domain.pem")


def test_all_switch_together_and_come_back_together(box: Box, tmp_path: Path) -> None:
    """The next version reaches every file; one that the service refuses reaches none."""
    folder = tmp_path / "domains"
    made = service(box, folder)
    deploy(box, made)
    before = {name: (folder / name).read_bytes() for name in FORMATS.values()}
    made.test_answers = [Completed(returncode=1, output="refused")]
    with pytest.raises(ConfigTestFailed):
        deploy(box, made)
    assert {name: (folder / name).read_bytes() for name in FORMATS.values()} == before
    deploy(box, made)
    after = {name: (folder / name).read_bytes() for name in FORMATS.values()}
    assert [name for name in after if after[name] == before[name]] == ["chain.pem"]


def test_what_was_there_keeps_its_owner_and_mode(box: Box, tmp_path: Path) -> None:
    """A further file that another program had keeps owner and mode, and is put back as it was by a failure."""
    folder = tmp_path / "domains"
    made = service(box, folder)
    old = folder / "domain.pem"
    old.write_bytes(b"old")
    old.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(old, 0, 33)
    made.reload_answers = [Completed(returncode=1, output="refused"), Completed(returncode=0, output="")]
    with pytest.raises(Exception, match="web"):
        deploy(box, made)
    assert (old.read_bytes(), old.is_symlink(), old.stat().st_mode & 0o777) == (b"old", False, 0o640)
    assert not (folder / "domain.cer").exists()
    made.is_running = True
    deploy(box, made)
    assert old.stat().st_mode & 0o777 == 0o640
    assert os.geteuid() != 0 or old.stat().st_gid == 33


def test_a_changed_one_is_seen(box: Box, tmp_path: Path) -> None:
    """The status says which further file somebody else has changed; a PFX file, which has salts, is not compared."""
    made = service(box, tmp_path / "domains")
    deploy(box, made)
    live = box.paths.live / "shop"
    assert observe(made.target, live=live).state == "deployed"
    (tmp_path / "domains" / "domain.cer").unlink()
    state = observe(made.target, live=live)
    assert (state.state, "domain.cer" in state.why) == ("stale", True)


def test_a_later_release_keeps_the_files(box: Box, tmp_path: Path) -> None:
    """When the target is removed, every further file stays as a plain file."""
    folder = tmp_path / "domains"
    made = service(box, folder)
    deploy(box, made)
    release_target(box.context, made.target)
    for name in FORMATS.values():
        assert (folder / name).is_file()
        assert not (folder / name).is_symlink()


def test_pfx_with_a_passphrase(box: Box, tmp_path: Path) -> None:
    """The passphrase comes from a file; without the file nothing is touched."""
    word = tmp_path / "word"
    made = service(box, tmp_path / "domains", pfx_passphrase_file=str(word))
    with pytest.raises(StageFailed, match="PFX"):
        deploy(box, made)
    assert not (tmp_path / "domains" / "domain.cer").exists()
    word.write_text("secret\n")
    deploy(box, made)
    content = (tmp_path / "domains" / "domain.pfx").read_bytes()
    assert load_pkcs12(content, b"secret").key is not None
    with pytest.raises(ValueError, match=r"."):
        load_pkcs12(content, None)


@pytest.mark.parametrize("entry", ["fullchain", "fullchain:relative", "nonsense:/x", "/x"])
def test_wrong_entries_are_named(entry: str, tmp_path: Path) -> None:
    """The configuration says which entry is wrong and how to write it."""
    text = f'[targets.web]\ncertificate = "/c"\nkey = "/k"\nalso = ["{entry}"]\n'
    with pytest.raises(ConfigError) as caught:
        parse_config(text.encode(), tmp_path / "certdeck.toml")
    assert "FORMAT:/PATH" in str(caught.value.details["problems"])


def test_no_path_twice() -> None:
    """Neither within a target nor between two."""
    one = TargetConfig(name="one", certificate="/e/c", key="/e/k", also=("der:/e/c",))
    with pytest.raises(ConfigError, match="same path twice"):
        refuse([one])
    with pytest.raises(ConfigError, match=r"share the path /e/x"):
        refuse(
            [replace(one, also=("der:/e/x",))],
            [TargetConfig(name="two", certificate="/f/c", key="/f/k", also=("pfx:/e/x",))],
        )


def test_usual_files() -> None:
    """The names that other programs expect, and those of the first domain; a wildcard has no star in its files (SO-18, SO-19)."""
    assert usual_files("/etc/ssl/domains/", "*.example.com") == (
        "fullchain:/etc/ssl/domains/domain.cer",
        "fullchain:/etc/ssl/domains/fullchain.pem",
        "chain:/etc/ssl/domains/chain.pem",
        "combined:/etc/ssl/domains/domain.pem",
        "fullchain:/etc/ssl/domains/_wildcard.example.com.cer",
        "key:/etc/ssl/domains/_wildcard.example.com.key",
    )
