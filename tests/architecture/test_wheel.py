"""What is shipped: a wheel that works as an application in an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from core.version import VERSION
from tests.support.sources import ROOT

pytestmark = pytest.mark.e2e


def _run(argv: list[str], **options: object) -> str:
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **options.pop("env", {})}
    done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=90, env=environment, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout without fetching anything."""
    folder = tmp_path_factory.mktemp("wheel")
    _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of a fresh environment with the wheel in it; the libraries are those of the running one."""
    environment = tmp_path_factory.mktemp("installed") / "venv"
    _run([sys.executable, "-m", "venv", "--without-pip", str(environment)])
    python = environment / "bin" / "python"
    _run(
        [
            sys.executable,
            "-m",
            "pip",
            "--python",
            str(python),
            "install",
            "--quiet",
            "--no-deps",
            "--no-index",
            str(wheel),
        ]
    )
    packages = _run([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]).strip()
    # A line in a .pth file adds the folder, yet does not read the .pth files in it: the editable certdeck stays out.
    Path(packages, "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment / "bin"


def test_the_wheel_holds_three_packages(wheel: Path) -> None:
    """The wheel holds core, tui and themes, whole, and nothing else."""
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name.split("/")[0] for name in names} == {"core", "tui", "themes", f"certdeck-{VERSION}.dist-info"}
    wanted = {
        path.relative_to(ROOT).as_posix()
        for folder in ("core", "tui", "themes")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".tcss", ".toml", ".typed"}
    }
    assert wanted - names == set()
    assert {"core/py.typed", "tui/py.typed"} <= names
    assert any(name.endswith("/licenses/LICENSE") for name in names)


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder with packages named like ours that must never be imported."""
    folder = tmp_path / "hostile"
    for package in ("core", "tui", "themes"):
        (folder / package).mkdir(parents=True)
        (folder / package / "__init__.py").write_text("raise SystemExit('the folder one stands in was imported')")
        (folder / package / "__main__.py").write_text("raise SystemExit('the folder one stands in was imported')")
    return folder


def test_the_command_works_anywhere(installed: Path, hostile: Path) -> None:
    """The installed command answers in a folder that holds packages of the same names: it never imports those."""
    assert VERSION in _run([str(installed / "certdeck"), "--version"], cwd=hostile)


def test_the_installed_program_does_its_work(installed: Path, hostile: Path, home: Path) -> None:
    """First boot and status work from the wheel alone, so nothing that they need is missing in it (SO-10)."""
    variables = {"CERTDECK_HOME": str(home)}
    _run([str(installed / "certdeck"), "first-boot", "--hostname", "box.example.com"], cwd=hostile, env=variables)
    assert "default" in _run([str(installed / "certdeck"), "status"], cwd=hostile, env=variables)
