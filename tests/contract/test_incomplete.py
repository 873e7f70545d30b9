"""A program that is not complete, as while it is updated, says so in words."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import ROOT, environment_for

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
