"""The README's table of CAs is the one that the interoperability tests keep."""

from __future__ import annotations

import re

from tests.interop.table import ROWS, markdown
from tests.support.sources import ROOT


def test_the_readme_has_the_table() -> None:
    """What the README says about other CAs is what `make interop` has seen."""
    assert markdown() in (ROOT / "README.md").read_text()


def test_the_versions_are_those_that_are_installed() -> None:
    """A server that is pinned anew gets a new row, after a new run."""
    pinned = dict(re.findall(r"^([a-z0-9-]+)==(\S+)$", (ROOT / "tests/interop/requirements.txt").read_text(), re.M))
    versions = {row.server: row.version for row in ROWS}
    assert pinned["acme2certifier"] == versions["acme2certifier"]
    assert pinned["serles-acme"] == versions["serles"]
