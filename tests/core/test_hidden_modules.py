"""Libraries are loaded without modules that they can do without."""

from __future__ import annotations

import subprocess
import sys

import pytest

from core.hidden_modules import hidden
from tests.support.sources import ROOT


def test_a_module_is_hidden_within_the_block_alone() -> None:
    """Importing it fails in the block, also after an error there, and works afterwards."""
    sys.modules.pop("this", None)
    with pytest.raises(ImportError), hidden("this"):
        import this  # noqa: F401
    assert "this" not in sys.modules


def test_a_loaded_module_is_not_hidden() -> None:
    """What the process uses already stays."""
    with hidden("json"):
        import json
    assert sys.modules["json"] is json


def test_who_needs_the_hidden_modules_later_gets_them() -> None:
    """After the HTTP client and the codec have been loaded, their optional modules are not loaded, and can be imported."""
    program = (
        "import core.light_msgspec, core.system.transport, sys\n"
        "hidden = {'anyio', 'click', 'httpx._main', 'typing_extensions'}\n"
        "assert not hidden & set(sys.modules), hidden & set(sys.modules)\n"
        "import anyio, typing_extensions\n"
        "assert anyio.Lock and typing_extensions.TypedDict\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
