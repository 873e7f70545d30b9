"""The packaged command beside that of a checkout: it starts at least as fast. `make deb` first, or DEB=/path/to/the.deb."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.measure import Series, run
from tests.bench.test_speed import CERTDECK
from tests.support.sources import ROOT, sources

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]
ROUNDS = int(os.environ.get("ROUNDS", "5"))
DEBS = [*(ROOT / "dist").glob("certdeck_*.deb"), *(ROOT / ".deb-test" / "one").glob("certdeck_*.deb")]
DEB = os.environ.get("DEB") or (str(max(DEBS, key=lambda file: file.stat().st_mtime)) if DEBS else "")


@pytest.fixture
def packaged(tmp_path: Path) -> Path:
    """The command of the package, with its library where it was unpacked to."""
    if not DEB:
        pytest.skip("there is no package: make deb")
    subprocess.run(["dpkg-deb", "-x", DEB, tmp_path / "root"], check=True)
    library = tmp_path / "root" / "usr" / "lib" / "certdeck"
    other = next(
        (source.name for source in sources("core", "tui") if not _is_same(source.path, library / source.name)), ""
    )
    if other:
        pytest.skip(f"{DEB} was built from another state of {other}: make deb")
    program = tmp_path / "root" / "usr" / "bin" / "certdeck"
    program.write_text(program.read_text().replace('"/usr/lib', f'"{tmp_path}/root/usr/lib'))
    return program


def _is_same(file: Path, packed: Path) -> bool:
    return packed.is_file() and packed.read_bytes() == file.read_bytes()


def test_the_packaged_command_starts_as_fast(packaged: Path, tmp_path: Path) -> None:
    """With the same interpreter, by pairs: the version, a scheduled run with nothing to do, and the status of a box."""
    home = tmp_path / "home"
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "CERTDECK_HOME": str(home), "LANG": "C.UTF-8"}
    for words in ("first-boot", "--renew"):
        run([CERTDECK, words], env)
    ratios = []
    print()
    for words in (["--version"], ["--renew"], ["status", "--json"]):
        ours, theirs = [], []
        for number in range(ROUNDS + 1):
            pair = run([sys.executable, "-IS", str(packaged), *words], env), run([CERTDECK, *words], env)
            if number:
                ours.append(pair[0])
                theirs.append(pair[1])
        checkout = Series(f"{' '.join(words)}: checkout", tuple(theirs))
        package = Series(f"{' '.join(words)}: package", tuple(ours))
        print(checkout.line())
        print(package.line(checkout))
        ratios.append(package.wall / checkout.wall)
    assert sorted(ratios)[1] <= 1.03
