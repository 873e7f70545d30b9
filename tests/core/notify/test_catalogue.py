"""The table of the kinds of notification channels."""

from __future__ import annotations

import ast
import subprocess
import sys

from core.config.rules import notification_kind
from core.notify.catalogue import KINDS, all_kinds
from tests.support.sources import ROOT, sources


def test_the_table_has_every_kind() -> None:
    """Each module that defines a kind has one row, under the name of the kind."""
    defining = {
        source.path.stem
        for source in sources("core/notify")
        for node in source.tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and target.id == "KIND"
    }
    assert defining == set(KINDS.values())
    assert [kind.name for kind in all_kinds()] == list(KINDS)


def test_the_configuration_knows_the_kinds_of_the_table() -> None:
    """A kind of the table is valid in the configuration; for another one the closest is named."""
    assert [notification_kind(name) for name in KINDS] == [None] * len(KINDS)
    problem = notification_kind("webhok")
    assert problem is not None
    assert "Did you mean webhook?" in problem[1]


def test_the_table_loads_no_channel() -> None:
    """Checking a kind does not load the module of a channel."""
    code = (
        "import sys; from core.config.rules import notification_kind; notification_kind('smtp'); "
        "print([each for each in sys.modules if each.startswith('core.notify.') and each != 'core.notify.catalogue'])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
