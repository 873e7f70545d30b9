"""State files as text: what is written, and what is read again."""

from __future__ import annotations

import json

from core.store.records import dumped, parsed


def test_plain_values_have_a_line_each() -> None:
    """A record of plain values is written byte for byte as `indent=1` writes it, which `core.idle.repeat` relies on."""
    values = {"at": 1.5, "error": "", "lineages": [], "before": None, "more": {}}
    assert dumped(values) == json.dumps({"format": 1, **values}, indent=1).encode()


def test_what_is_written_is_read_again() -> None:
    """Nested values come back as they were, and so do the halves of a surrogate pair in the name of a file."""
    values = {"places": [{"path": "/a/\udcff", "mode": 1}], "targets": {"a": {"b": ["c", None, True]}}}
    assert parsed(dumped(values), "a file") == {"format": 1, **values}
