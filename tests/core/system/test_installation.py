"""The running installation finds its own command."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.system.installation import program


def script(path: Path, mode: int = 0o755) -> Path:
    """Make a script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


def test_started_as_a_script(tmp_path: Path) -> None:
    """The script that was started is taken, as it was called: a link stays a link."""
    real = script(tmp_path / "venv/bin/certdeck")
    link = tmp_path / "bin/certdeck"
    link.parent.mkdir()
    link.symlink_to(real)
    assert program({}, str(link), "/usr/bin/python3") == str(link)
    assert program({}, str(real.parent / "../bin/certdeck"), "/usr/bin/python3") == str(real)


def test_started_from_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path becomes an absolute one."""
    found = script(tmp_path / "bin/certdeck")
    monkeypatch.chdir(tmp_path)
    assert program({}, "bin/certdeck", "/usr/bin/python3") == str(found)


@pytest.mark.parametrize("started_as", ["/x/tui/__main__.py", "-c", "", "certdeck", "/gone/certdeck"])
def test_started_otherwise(tmp_path: Path, started_as: str) -> None:
    """Started as a module, the script beside this Python is taken, before one on the PATH."""
    beside = script(tmp_path / "venv/bin/certdeck")
    other = script(tmp_path / "other/certdeck")
    variables = {"PATH": str(other.parent)}
    assert program(variables, started_as, str(beside.with_name("python"))) == str(beside)
    beside.unlink()
    assert program(variables, started_as, str(beside.with_name("python"))) == str(other)
    other.unlink()
    assert program(variables, started_as, str(beside.with_name("python"))) is None


def test_what_cannot_be_run_is_no_program(tmp_path: Path) -> None:
    """A file without the right to run it, and a folder, are passed over."""
    beside = script(tmp_path / "bin/certdeck", 0o644)
    assert program({"PATH": "/nowhere"}, "x", str(beside.with_name("python"))) is None
    beside.unlink()
    beside.mkdir()
    assert program({"PATH": "/nowhere"}, "x", str(beside.with_name("python"))) is None
