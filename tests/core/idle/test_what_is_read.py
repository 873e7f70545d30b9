"""What a scheduled run with nothing to do reads is what its repetition looks at: whoever reads more has to add it there."""

from __future__ import annotations

import inspect
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.idle import signature
from tests.support.command import ROOT, environment_for, process
from tests.support.programs import wait_until

WATCHED = """
import os, sys
home = os.environ["CERTDECK_HOME"]
seen = set()
def hook(event, args):
    if event in ("open", "os.listdir", "os.scandir", "os.mkdir") and args and isinstance(args[0], (str, bytes, os.PathLike)):
        path = os.fsdecode(args[0])
        if path.startswith(home):
            seen.add(os.path.relpath(path, home))
sys.addaudithook(hook)
from tui.__main__ import main
status = main(["--renew"])
print("READ", status, *sorted(seen), sep="\\n", file=sys.stderr)
"""
WRITTEN = (
    "state/idle",
    "state/index.json",
    "state/last-run.json",
    "state/checked-release.json",
    "state/clock.json",
    "state/.tmp-",
    "state",
)
"""The run's own records: the repetition writes them itself, or they are made of the others."""
NO_NEWS = ("etc", "run", "log")
"""Made by whoever needs them first."""


@pytest.fixture
def box(home: Path) -> Path:
    assert process("first-boot", "--hostname", "box.example.com", home=home).status == 0
    return home


def _looked_at() -> str:
    return inspect.getsource(signature.look) + inspect.getsource(signature._look_at_lineages)


def test_everything_that_is_read_is_looked_at(box: Path) -> None:
    """Each file or folder that the run opens below its home is in the signature of the repetition."""
    newest = max(path.lstat().st_ctime_ns for path in box.rglob("*"))
    # What is younger than two seconds may change again without another time, so the index would not be relied on.
    wait_until(lambda: time.time_ns() - newest > 2_000_000_000, "files that are old enough")
    assert process("--renew", home=box).status == 0  # the index is there now
    done = subprocess.run(
        [sys.executable, "-c", WATCHED],
        check=True,
        cwd=ROOT,
        env=environment_for(box),
        capture_output=True,
        text=True,
    )
    status, *read = done.stderr.partition("READ\n")[2].split("\n")[:-1]
    assert status == "0"
    own = [path for path in read if path in NO_NEWS or path.startswith(WRITTEN[:-1]) or path == WRITTEN[-1]]
    missing = [path for path in read if path not in own and path.partition("/")[2] not in _looked_at()]
    assert read
    assert missing == []
