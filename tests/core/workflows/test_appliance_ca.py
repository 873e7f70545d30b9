"""core.workflows.appliance_ca: one root for the whole box."""

from __future__ import annotations

from pathlib import Path

from core.config.edit import write_lineage
from core.config.model import LineageConfig
from tests.support.appliance import Appliance


def test_lineages_side_by_side_get_the_same_root(tmp_path: Path) -> None:
    """The first run over several lineages of the private CA makes one root, the one that clients are given."""
    appliance = Appliance(tmp_path / "box")
    names = [f"n{number}" for number in range(8)]
    for name in names:
        write_lineage(appliance.paths, LineageConfig(name=name, domains=(f"{name}.lan",), issuer="appliance-ca"))
    assert len(appliance.engine.renew().renewed) == 8
    roots = {(appliance.paths.live / name / "chain.pem").read_bytes() for name in names}
    assert roots == {appliance.engine.export_ca_root()}
