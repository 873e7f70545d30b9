"""What certdeck costs beside the least that Python can do the same job with. Prints a table of ratios, judges nothing.

Both sides run in turn, by the same interpreter; ratios are taken pair by pair. `ROUNDS=9 make bench` takes more of them.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.bench.measure import Run, peak_mib, run
from tests.bench.test_speed import CERTDECK, clone
from tests.support.pebble import PebbleOptions, PebbleServer
from tests.support.sources import ROOT

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]
ROUNDS = int(os.environ.get("ROUNDS", "5"))
STRACE = shutil.which("strace")
SLOW_MICROSECONDS = 10_000
"""What a flush takes on the eMMC or SD card of many appliances."""
_NOTHING = [sys.executable, "-c", "pass"]
_FLUSHES = "fsync,fdatasync"


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PebbleServer]:
    server = PebbleServer(tmp_path_factory.mktemp("ca"), PebbleOptions())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def ours(ca: PebbleServer, tmp_path: Path) -> dict[str, str]:
    """The environment of a certdeck with one certificate."""
    etc = tmp_path / "deck" / "etc"
    etc.mkdir(parents=True)
    (etc / "certdeck.toml").write_text(
        f'[issuers.bench]\ndirectory = "{ca.directory_url}"\nca_bundle = "{ca.ca_pem}"\nprofile = "default"\nagree_tos = true\n'
        f'[defaults]\nissuer = "bench"\n[http01]\naddress = "127.0.0.1"\nport = {ca.http01_port}\n'
    )
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "CERTDECK_HOME": str(tmp_path / "deck"),
        "LANG": "C.UTF-8",
    }
    run([CERTDECK, "issue", "-d", "first.certdeck.test"], env)
    return env


def row(label: str, mine: Callable[[int], Run], other: Callable[[int], Run], rounds: int = ROUNDS) -> None:
    """Run both in turn and print their figures and ratios; the first pair does not count."""
    pairs = [(mine(number), other(number)) for number in range(rounds + 1)][1:]
    cpu, wall = (
        statistics.median(getattr(a, field) / getattr(b, field) for a, b in pairs)
        for field in ("cpu_seconds", "wall_seconds")
    )
    middle = [statistics.median(pair[side].cpu_seconds for pair in pairs) for side in (0, 1)]
    print(f"{label:44} cpu {middle[0]:7.3f} s to {middle[1]:7.3f} s   ratio cpu {cpu:6.2f}  wall {wall:6.2f}")


@pytest.mark.parametrize("names", [1, 100])
def test_one_certificate(ca: PebbleServer, ours: Mapping[str, str], tmp_path: Path, names: int) -> None:
    """One certificate, beside a client with nothing around the protocol."""
    script, folder = ROOT / "tests/bench/floor_client.py", tmp_path / "floor"
    floor = [sys.executable, str(script), ca.directory_url, str(ca.ca_pem), str(ca.http01_port), str(folder)]
    run([*floor, "setup"], ours)

    def domains(who: str, number: int) -> list[str]:
        return [f"s{each}.r{number}.n{names}.{who}.test" for each in range(names)]

    def mine(number: int) -> Run:
        given = [word for name in domains("certdeck", number) for word in ("-d", name)]
        return run([CERTDECK, "issue", *given], ours)

    print()
    row(f"issue, {names} name(s), to the floor", mine, lambda number: run([*floor, *domains("floor", number)], ours))


@pytest.mark.parametrize("count", [1, 1000, 10_000])
def test_nothing_due(ours: Mapping[str, str], tmp_path: Path, count: int) -> None:
    """The scheduled run with nothing due, beside one JSON file and one `stat` for each certificate."""
    home, folder = Path(ours["CERTDECK_HOME"]), tmp_path / "floor"
    clone(home, "first.certdeck.test", count)
    folder.mkdir()
    for number in range(count):
        (folder / f"{number}.pem").write_text("x")
    while not (home / "state/idle").exists():  # it is left as soon as the last change is two seconds old
        run([CERTDECK, "--renew"], ours)
    floor = [sys.executable, str(ROOT / "tests/bench/floor_noop.py"), str(folder)]
    print()
    row(
        f"nothing due, {count}, to the floor",
        lambda _: run([CERTDECK, "--renew"], ours),
        lambda _: run(floor, ours),
        2 * ROUNDS,
    )
    print(f"nothing due, {count}: peak memory {peak_mib([CERTDECK, '--renew'], ours):.1f} MiB")


@pytest.mark.parametrize("count", [1, 10_000])
def test_looking(ours: Mapping[str, str], tmp_path: Path, count: int) -> None:
    """What looks at things, beside an interpreter that does nothing."""
    home = Path(ours["CERTDECK_HOME"])
    live = home / "state/live/first.certdeck.test"
    clone(home, "first.certdeck.test", count)
    commands: dict[str, Sequence[str]] = {"status": ("status",)}
    if count == 1:
        pair = ("--cert", str(live / "fullchain.pem"), "--key", str(live / "privkey.pem"))
        commands |= {"check": ("check", *pair), "import": ("import", "brought", *pair, "--force")}
        commands |= {"deploy": ("deploy", "first.certdeck.test"), "dns kinds": ("dns", "kinds"), "log": ("log",)}
    run([CERTDECK, "status"], ours)
    print()
    for label, words in commands.items():
        row(
            f"{label}, {count}, to python -c pass",
            lambda _, words=words: run([CERTDECK, *words], ours),
            lambda _: run(_NOTHING, ours),
        )


def waits(trace: Sequence[str]) -> int:
    """Return how often nothing else was being flushed when a flush began: those side by side are waited for once."""
    found = under_way = 0
    for line in trace:
        if "resumed>" in line:
            under_way -= 1
        elif "sync(" in line:
            found += not under_way
            under_way += "<unfinished" in line
    return found


@pytest.mark.skipif(STRACE is None, reason="strace counts and slows the flushes")
def test_flushes(ours: Mapping[str, str], tmp_path: Path) -> None:
    """How often an issuance and a renewal wait for the disk, and what that costs where each time takes 10 ms."""
    slow = ("-e", f"inject={_FLUSHES}:delay_enter={SLOW_MICROSECONDS}")

    def traced(*more: str, said: Path = Path(os.devnull)) -> list[str]:
        return [str(STRACE), "-f", "-o", str(said), "-e", f"trace={_FLUSHES}", *more, CERTDECK]

    print()
    for label, words in {
        "issue": ("issue", "-d", "counted.certdeck.test"),
        "renew": ("renew", "counted.certdeck.test", "--force"),
    }.items():
        said = tmp_path / f"{label}.trace"
        subprocess.run([*traced(*slow, said=said), *words], env=ours, check=True, capture_output=True)
        lines = said.read_text().splitlines()
        print(f"{label}: {sum('sync(' in line for line in lines)} flushes, {waits(lines)} waits for the disk")

    row(
        "issue where a flush takes 10 ms, to a fast disk",
        lambda number: run([*traced(*slow), "issue", "-d", f"slow{number}.certdeck.test"], ours),
        lambda number: run([*traced(), "issue", "-d", f"fast{number}.certdeck.test"], ours),
    )
