"""The double that the front ends are tested with takes and offers what the real engine does."""

from __future__ import annotations

import inspect

import pytest

from core.engine import Engine
from tests.support.fake_engine import FakeEngine

OPERATIONS = sorted(
    name
    for name, method in inspect.getmembers(Engine, inspect.isfunction)
    if not name.startswith("_") and name != "writing" and name in dir(FakeEngine)
)
"""What the double defines itself; every other operation is bound against the engine's signature when it is called."""


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_double_has_the_engines_interface(name: str) -> None:
    """An operation that the double defines has the parameters, kinds and defaults of the engine's."""
    theirs, ours = (inspect.signature(getattr(each, name)) for each in (Engine, FakeEngine))
    assert [(each.name, each.kind, each.default) for each in ours.parameters.values()] == [
        (each.name, each.kind, each.default) for each in theirs.parameters.values()
    ]


def test_any_other_operation_is_bound_as_the_engine_has_it() -> None:
    """What the double does not define answers with what the test set, records the call, and refuses arguments that cannot be."""
    engine = FakeEngine()
    engine.answers["remove_web"] = lambda target: (target,)
    assert engine.remove_web("web") == ("web",)
    assert engine.calls[-1] == ("remove_web", {"target": "web"})
    with pytest.raises(TypeError):
        engine.remove_web("web", nonsense=1)
    with pytest.raises(AttributeError):
        engine.no_operation("web")


def test_a_thousand_lineages_are_sorted() -> None:
    """`with_lineages` gives as many as asked for, by name, in every severity."""
    lineages = FakeEngine.with_lineages(1000).status().lineages
    assert [each.name for each in lineages] == sorted({each.name for each in lineages})
    assert len(lineages) == 1000
    assert {each.severity for each in lineages} == {"green", "yellow", "red"}
