"""A pipe in place of a stored file is treated as a damaged file: no command waits for somebody to write into it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from core.store.orders import OrderRecord, begin_order
from core.store.vault import Vault
from tests.support.appliance import Appliance
from tests.support.clock import NOON
from tests.support.command import Answer, command
from tests.support.pipes import nobody_waits

COMMANDS = (("status",), ("status", "--check"), ("self-check",), ("--renew",))


@pytest.fixture
def box(tmp_path: Path) -> Appliance:
    """A box with two versions, an open order, and every file that a day of use leaves."""
    made = Appliance(tmp_path / "box")
    made.engine.first_boot()
    made.issue("shop.example.com", name="shop")
    made.issue("shop.example.com", name="shop", force=True)
    order = OrderRecord(
        name="open", issuer="ca", directory="https://ca.test/directory", account_url="", identifiers=(), created=NOON
    )
    begin_order(made.paths, Vault(made.paths, made.engine.env), order, b"key")
    for argv in COMMANDS:
        run(made, *argv)
    made.engine.detect()
    return made


def run(box: Appliance, *argv: str) -> Answer:
    engine: Any = box.reopened()
    return command(*argv, engine=engine)


def test_no_command_waits_for_a_pipe(box: Appliance, tmp_path: Path) -> None:
    """Whichever file of the settings and the state is a pipe, the commands of every day end, without a traceback."""
    home = box.paths.state.parent
    good = tmp_path / "good"
    shutil.copytree(home, good, symlinks=True)
    every = [path.relative_to(good) for path in sorted(good.rglob("*")) if path.is_file() and not path.is_symlink()]
    every = [path for path in every if path.suffix not in (".sqlite-wal", ".sqlite-shm") and "live" not in path.parts]
    assert len(every) > 20
    waited: list[str] = []
    for file in every:
        shutil.rmtree(home)
        shutil.copytree(good, home, symlinks=True)
        (home / file).unlink()
        os.mkfifo(home / file)
        with nobody_waits(home / file) as seen:
            for argv in COMMANDS:
                answer = run(box, *argv)
                assert answer.status in (0, 1, 2), (file, argv, answer)
                assert "Traceback" not in answer.err, (file, argv, answer)
        waited += seen
    assert waited == []
