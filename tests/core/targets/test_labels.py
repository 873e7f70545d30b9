"""SELinux context and access list of a target's files: what they had before certdeck, they have afterwards."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.config.model import LineageConfig, TargetConfig
from core.errors import ReloadFailed
from core.foreign.attributes import ACCESS_LIST
from core.ports import Completed
from core.targets.pair import release
from core.workflows.deploying.transaction import deploy_version
from tests.support.authority import self_signed
from tests.support.services import Box, Service

SPEC = LineageConfig(name="shop", domains=("shop.example.com",), targets=("web",))
CONTEXT = "security.selinux"
NOBODY = 65534
OWNER, USER, GROUP, MASK, OTHERS = 0x01, 0x02, 0x04, 0x10, 0x20
NO_ID = 0xFFFFFFFF
LABELS = {
    "crt": {CONTEXT: b"system_u:object_r:cert_t:s0\0"},
    "key": {
        CONTEXT: b"system_u:object_r:httpd_key_t:s0\0",
        ACCESS_LIST: struct.pack("<I", 2)
        + b"".join(
            struct.pack("<HHI", *entry)
            for entry in ((OWNER, 6, NO_ID), (USER, 4, NOBODY), (GROUP, 0, NO_ID), (MASK, 4, NO_ID), (OTHERS, 0, NO_ID))
        ),
    },
}


@pytest.fixture(params=["link", "copy", "in-place"])
def labelled(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Box, Service]:
    """A service whose files have labels; skipped where this file system or this user can give none."""
    box = Box.at(tmp_path / "home")
    made = box.services.add(tmp_path / "tls", "web", mode="copy" if request.param == "copy" else "link")
    made.target = replace(made.target, in_place=request.param == "in-place")
    old = self_signed(["old.example.com"])
    old.write(Path(made.target.certificate), Path(made.target.key))
    made.serves = old.fullchain_pem
    try:
        for path, labels in _labelled(made.target):
            for name, value in labels.items():
                os.setxattr(path, name, value)
    except OSError as exc:
        pytest.skip(f"no labels can be given here: {exc}")
    return box, made


def _labelled(target: TargetConfig) -> list[tuple[str, dict[str, bytes]]]:
    return [(target.certificate, LABELS["crt"]), (target.key, LABELS["key"])]


def _has_labels(target: TargetConfig) -> bool:
    """Tell whether what the paths show has the labels; links are followed, as services follow them."""
    return all(os.getxattr(path, name) == value for path, labels in _labelled(target) for name, value in labels.items())


def test_labels_stay_over_deployments_failures_and_the_end(labelled: tuple[Box, Service]) -> None:
    """New files have the context and access list of the old ones: deployed, undone after a failure, and as plain files."""
    box, service = labelled
    for _ in range(2):
        version, leaf = box.store(SPEC)
        deploy_version(box.context, "shop", version, [service.target], spec=SPEC)
        assert service.serves == leaf.fullchain_pem
        assert _has_labels(service.target)
    service.reload_answers = [Completed(returncode=1, output="fatal\n")]
    version, _ = box.store(SPEC)
    with pytest.raises(ReloadFailed):
        deploy_version(box.context, "shop", version, [service.target], spec=SPEC)
    assert _has_labels(service.target)
    release(service.target)
    assert not Path(service.target.key).is_symlink()
    assert _has_labels(service.target)
