"""A program that is not complete, as while it is updated, says so in words."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import ROOT, environment_for

CERTDECK = "from tui.__main__ import program; program()"
COMMANDS = (["status"], ["--renew"], ["issue", "-d", "shop.example.com", "--issuer", "appliance-ca"], ["--version"])
MISSING = (
    "core/text.py",
    "tui/cli/dispatch.py",
    "core/store/lineages.py",
    "core/errors.py",
    "tui/cli/catalogue.py",
    "core/idle/repeat.py",
)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the program, to take files from."""
    folder = tmp_path_factory.mktemp("program")
    for name in ("core", "tui", "themes"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def _run(program: Path, home: Path, *argv: str, limit: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command of the copy, which keeps its bytecode in its own folders."""
    return subprocess.run(
        ["/bin/sh", "-c", f'{limit} exec "$@"', "sh", sys.executable, "-c", CERTDECK, *argv],
        check=False,
        cwd=home.parent,
        env=environment_for(home, PYTHONPATH=str(program), PYTHONDONTWRITEBYTECODE="", PYTHONPYCACHEPREFIX=""),
        capture_output=True,
        text=True,
        timeout=100,
    )


def test_bytecode_that_does_not_fit_is_not_kept(program: Path, tmp_path: Path) -> None:
    """After a run in which files could not grow, the next one loads the program: half a bytecode file would end it (EOFError)."""
    _run(program, tmp_path / "home", "status", "--json", limit="ulimit -f 8;")
    after = _run(program, tmp_path / "home", "status", "--json")
    assert (after.returncode, after.stderr) == (0, "")
    written = [path for path in program.rglob("*.pyc") if path.name.startswith("dispatch.")]
    assert written


def test_damaged_bytecode_is_told(program: Path, tmp_path: Path) -> None:
    """Half a bytecode file is a part of the program that cannot be loaded, not a bug."""
    home = tmp_path / "home"
    _run(program, home, "status", "--json")
    for place in ("tui/cli/dispatch", "core/config/load"):
        found = next((program / place).parent.glob(f"__pycache__/{Path(place).name}.*.pyc"))
        whole = found.read_bytes()
        found.write_bytes(whole[: len(whole) // 2])
        done = _run(program, home, "status", "--json")
        found.write_bytes(whole)
        assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (1, "program-incomplete")
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("missing", MISSING)
def test_a_missing_module_is_told(program: Path, tmp_path: Path, missing: str) -> None:
    """Whichever module is missing, every command does its work or ends with 1 and `program-incomplete`, without a traceback."""
    kept = (program / missing).read_bytes()
    (program / missing).unlink()
    try:
        for argv in COMMANDS:
            done = subprocess.run(
                [sys.executable, "-c", "import sys; from tui.__main__ import main; sys.exit(main())", *argv, "--json"],
                check=False,
                cwd=tmp_path,
                env=environment_for(tmp_path / "home", PYTHONPATH=str(program), PYTHONDONTWRITEBYTECODE="1"),
                capture_output=True,
                text=True,
                timeout=100,
            )
            assert "Traceback" not in done.stderr, done.stderr
            said = {} if argv == ["--version"] and done.returncode != 1 else json.loads(done.stdout)
            if done.returncode != 0:
                assert said["error"]["code"] == "program-incomplete" or argv == ["--version"], done
    finally:
        (program / missing).write_bytes(kept)
