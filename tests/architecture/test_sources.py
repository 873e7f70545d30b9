"""Rules that every file keeps. A rule with exceptions lists each one with its reason."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sources import ROOT, Source, sources, statements

MOST_LINES = 500

WORLD = {
    "datetime.now": "ask the Clock port, or take `now` as an argument",
    "datetime.utcnow": "ask the Clock port, or take `now` as an argument",
    "datetime.today": "ask the Clock port, or take `now` as an argument",
    "date.today": "ask the Clock port, or take `now` as an argument",
    "time.sleep": "wait with Clock.sleep, which can be cancelled",
    "time.time": "ask the Clock port",
    "time.monotonic": "ask the Clock port",
    "os.environ": "take Environment.variables",
    "os.getenv": "take Environment.variables",
    "os.system": "use the Runner port",
    "os.popen": "use the Runner port",
    "subprocess": "use the Runner port",
    "socket": "use the Transport, Prober, Listener or Host port",
}
"""What belongs into core/system alone, and what to use instead."""

MAY_TOUCH_THE_WORLD = {
    (
        "tui/__main__.py",
        "os.environ",
    ): "the process's own start: decides between the two front ends before there is an engine",
    (
        "tui/cli/nothing_due.py",
        "time.time",
    ): "the short way of a run with nothing to do: importing the ports takes longer than the run",
    (
        "core/input_file.py",
        "time.monotonic",
    ): "how long a real pipe may keep silent; files are not a port, and a front end reads them without an engine",
}

HEX_COLOUR = re.compile(
    r"#(?:[0-9a-fA-F]{8}|[0-9a-fA-F]{6}|(?=[a-fA-F]*[0-9])[0-9a-fA-F]{3,4})(?![0-9A-Za-z_-])|\b(?:rgba?|hsla?)\("
)


_WORLDLY = re.compile(rf"\.\s*({'|'.join(what.partition('.')[2] for what in WORLD if '.' in what)})\b")
"""An attribute of such a name: a file without one needs no closer look."""


def _files(*suffixes: str) -> Iterator[Path]:
    for folder in ("core", "tui", "themes", "tests"):
        yield from (path for path in sorted((ROOT / folder).rglob("*")) if path.suffix in suffixes)


def test_no_file_is_too_long() -> None:
    """No source file has 500 lines or more: one idea a file."""
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in _files(".py", ".tcss", ".sh")
    }
    assert {name: lines for name, lines in lengths.items() if lines >= MOST_LINES} == {}


def _world(source: Source) -> Iterator[tuple[str, int]]:
    """Yield what a file uses of the real world, with the line."""
    for module, line in source.imports.items():
        if module in WORLD:
            yield module, line
    for node in ast.walk(source.tree) if _WORLDLY.search(source.text) else ():
        if isinstance(node, ast.Attribute):
            owner = node.value
            name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
            if f"{name}.{node.attr}" in WORLD:
                yield f"{name}.{node.attr}", node.lineno


def test_the_world_is_touched_in_one_place() -> None:
    """Real time, processes, sockets and the environment are used in core/system alone; elsewhere a port stands for them."""
    found = [
        f"{source.name}:{line} {what}: {WORLD[what]}"
        for source in sources("core", "tui")
        if not source.name.startswith("core/system/")
        for what, line in _world(source)
        if (source.name, what) not in MAY_TOUCH_THE_WORLD
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "used"),
    [
        ("import subprocess", ["subprocess"]),
        ("def f():\n    from socket import gethostname", ["socket"]),
        ("import datetime\ndatetime.datetime.now()", ["datetime.now"]),
        ("from datetime import datetime\ndatetime.now(UTC)", ["datetime.now"]),
        ("from time import sleep", ["time.sleep"]),
        ("import os\nos.environ['A']", ["os.environ"]),
        ("env.clock.now()\nclock.sleep(1, cancel)", []),
        ("import socketserver\nos.replace(a, b)", []),
    ],
)
def test_the_rule_sees_every_spelling(tmp_path: Path, text: str, used: list[str]) -> None:
    """The rule above finds each way of writing it, and takes nothing else for it."""
    path = tmp_path / "module.py"
    path.write_text(text)
    assert [what for what, _ in _world(Source(path))] == used


IN_FOREIGN_FOLDERS = (
    "core/challenges/webroot.py",
    "core/dns/providers/hook.py",
    "core/targets/",
    "core/workflows/deploying/",
    "core/workflows/uploading/csr.py",
    "core/workflows/keeping/export.py",
    "core/workflows/keeping/out_file.py",
)
"""What works, or could come to work, in folders that are not certdeck's own."""

BY_PATH = {
    "os": (
        "access", "chmod", "chown", "getxattr", "lchown", "link", "listdir", "lstat", "makedirs", "mkdir", "mkfifo", "open",
        "readlink", "remove", "removedirs", "rename", "renames", "replace", "rmdir", "scandir", "setxattr", "stat", "symlink",
        "truncate", "unlink", "utime", "walk",
    ),
    "path": ("exists", "isdir", "isfile", "islink", "lexists", "samefile"),
    "Path": (
        "chmod", "exists", "glob", "hardlink_to", "is_dir", "is_file", "is_symlink", "iterdir", "lstat", "mkdir", "open",
        "read_bytes", "read_text", "readlink", "rename", "resolve", "rglob", "rmdir", "samefile", "symlink_to", "touch",
        "unlink", "write_bytes", "write_text",
    ),
}  # fmt: skip
"""Functions of os and os.path, and methods of a path, that look a path up once more."""

MAY_LOOK_UP = {
    ("core/targets/check.py", "os.path.realpath"): "compares where configured paths lead; opens nothing",
    ("core/targets/observe.py", "read_bytes"): "certdeck's own live/NAME",
    ("core/workflows/deploying/carried.py", "glob"): "certdeck's own certificates.d",
    ("core/workflows/deploying/carried.py", "read_text"): "certdeck's own certificates.d",
    ("core/workflows/deploying/shown.py", "os.stat"): "compares sizes for the status; opens nothing",
    ("core/workflows/keeping/out_file.py", "os.stat"): "certdeck's own state, whose identity is compared",
}


def _looked_up(source: Source) -> Iterator[tuple[str, int]]:
    """Yield what a file does with a path that only `core.foreign` may do, with the line."""
    for module in ("shutil", "tempfile", "glob", "core.store.atomic.write_file"):
        yield from ((module, line) for found, line in source.imports.items() if found == module)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("open", "write_file"):
            yield node.func.id, node.lineno
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner, name = node.func.value, node.func.attr
        if isinstance(owner, ast.Name) and owner.id == "os" and name in BY_PATH["os"]:
            yield f"os.{name}", node.lineno
        elif isinstance(owner, ast.Attribute) and owner.attr == "path" and name in BY_PATH["path"]:
            yield f"os.path.{name}", node.lineno
        elif not (isinstance(owner, ast.Name) and owner.id == "os") and name in BY_PATH["Path"]:
            yield name, node.lineno


def test_foreign_folders_are_worked_in_through_descriptors() -> None:
    """What works in folders of other accounts looks no path up: it goes through core.foreign, which opens each folder once."""
    found = [
        f"{source.name}:{line} {what}: use core.foreign"
        for source in sources("core")
        if source.name.startswith(IN_FOREIGN_FOLDERS)
        for what, line in _looked_up(source)
        if (source.name, what) not in MAY_LOOK_UP
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "used"),
    [
        ("import os\nos.open(path, 0)", ["os.open"]),
        ("import os\nos.path.lexists(path)", ["os.path.lexists"]),
        ("import shutil\nshutil.copy2(a, b)", ["shutil"]),
        ("Path(a).write_bytes(b)\n(a / b).is_dir()", ["write_bytes", "is_dir"]),
        ("open(path)", ["open"]),
        ("folder.put_file(name, content)\ntext.replace(a, b)\nos.path.relpath(a, b)", []),
    ],
)
def test_the_rule_sees_paths(tmp_path: Path, text: str, used: list[str]) -> None:
    """The rule above finds each way of looking a path up, and lets work on descriptors pass."""
    path = tmp_path / "module.py"
    path.write_text(text)
    assert [what for what, _ in _looked_up(Source(path))] == used


def _colours(path: Path) -> Iterator[str]:
    if not HEX_COLOUR.search(path.read_text()):
        return
    if path.suffix == ".tcss":
        texts = [(number, line) for number, line in enumerate(path.read_text().splitlines(), 1)]
    else:
        nodes = ast.walk(ast.parse(path.read_text()))
        texts = [
            (node.lineno, node.value)
            for node in nodes
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
    yield from (f"{path.name}:{number} {match[0]}" for number, text in texts for match in HEX_COLOUR.finditer(text))


def test_colours_live_in_themes() -> None:
    """No file of core or tui names a colour by numbers: a theme can change every one of them."""
    files = (path for path in _files(".py", ".tcss") if path.relative_to(ROOT).parts[0] in {"core", "tui"})
    assert [found for path in files for found in _colours(path)] == []


@pytest.mark.parametrize(
    ("text", "count"), [("#ff8800", 1), ("#f80 $x", 1), ("rgb(1,2,3)", 1), ("#add", 0), ("#dead-end", 0)]
)
def test_the_rule_sees_colours(text: str, count: int) -> None:
    """The rule above finds colours and lets widget ids pass."""
    assert len(HEX_COLOUR.findall(text)) == count


def test_every_test_says_what_it_claims() -> None:
    """Every test function has a docstring: it is what a failure report shows."""
    silent = [
        f"{source.name}:{node.lineno} {node.name}"
        for source in sources("tests")
        if source.path.name.startswith("test_")
        for node in statements(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert silent == []


def test_nothing_of_ours_is_patched() -> None:
    """No test uses unittest.mock: a test that needs it has found a missing port."""
    named = (source for source in sources("tests") if "mock" in source.text)
    assert [hit for source in named for hit in source.imported_below("unittest", "mock")] == []


def test_every_module_says_what_it_is_for() -> None:
    """Every module of the product begins with a docstring."""
    assert [source.name for source in sources("core", "tui", "themes") if not ast.get_docstring(source.tree)] == []


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-build.txt", "requirements-dev.txt"])
def test_locks_have_hashes_and_no_address(name: str) -> None:
    """Every pinned package carries hashes, and the lock names no place to fetch it from: that is the machine's business."""
    text = (ROOT / name).read_text()
    entries = re.split(r"\n(?=[a-z0-9])", text)[1:]
    assert entries
    assert [entry.split("==")[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text
