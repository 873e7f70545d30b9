"""The names that clients use for a service, and those of the certificate that it gets (SO-02, SO-12)."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from core.config.model import LineageConfig
from core.errors import StageFailed
from core.events import NAMES_NOT_COVERED, Warned
from core.workflows.deploying.served_names import missing_names
from core.workflows.deploying.transaction import deploy_version
from core.workflows.settings.targets import test_target as look_at_target
from tests.support.services import Box, Service

SHOP = LineageConfig(name="shop", domains=("shop.example.com", "*.shop.example.com"), targets=("web",))


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box.at(tmp_path / "home")


def service(box: Box, tmp_path: Path, *names: str, single: bool = False) -> Service:
    made = box.services.add(tmp_path / "tls", "web")
    made.target = replace(made.target, names=names, single=single)
    return made


def deploy(box: Box, made: Service) -> None:
    version, _ = box.store(SHOP)
    deploy_version(box.context, "shop", version, [made.target], spec=SHOP)


@pytest.mark.parametrize(
    ("wanted", "missing"),
    [
        (("shop.example.com", "WWW.shop.example.com", "*.shop.example.com"), ()),
        (
            ("mail.example.com", "a.b.shop.example.com", "*.example.com"),
            ("mail.example.com", "a.b.shop.example.com", "*.example.com"),
        ),
    ],
)
def test_missing_names(box: Box, tmp_path: Path, wanted: tuple[str, ...], missing: tuple[str, ...]) -> None:
    """A wildcard is good for one label below it, and only a wildcard covers a wildcard."""
    assert missing_names(service(box, tmp_path, *wanted).target, SHOP.domains) == missing


def test_a_single_certificate_needs_every_name(box: Box, tmp_path: Path) -> None:
    """A service that takes only one certificate gets none that lacks one of its names; the missing ones are named."""
    made = service(box, tmp_path, "shop.example.com", "mail.example.com", single=True)
    with pytest.raises(StageFailed, match="cannot get this certificate") as caught:
        deploy(box, made)
    assert "mail.example.com" in caught.value.why
    assert caught.value.details["missing"] == ["mail.example.com"]
    assert not Path(made.target.certificate).exists()


def test_others_are_warned_of(box: Box, tmp_path: Path) -> None:
    """Any other service gets it, with a warning in the result of the operation."""
    made = service(box, tmp_path, "mail.example.com")
    deploy(box, made)
    (warned,) = [told.event for told in box.told if isinstance(told.event, Warned)]
    assert warned.code == NAMES_NOT_COVERED
    assert "mail.example.com" in warned.what


def test_a_look_at_the_target_says_so(box: Box, tmp_path: Path) -> None:
    """`target test` compares the names with those of the certificate that the target carries."""
    made = service(box, tmp_path, "mail.example.com")
    deploy(box, made)
    config = replace(box.context.config, targets={"web": made.target})
    findings = look_at_target(replace(box.context, config=config), "web")
    assert [(each.status, "mail.example.com" in each.detail) for each in findings if each.id == "target-names"] == [
        ("warn", True)
    ]
