"""Arrows point down: front ends → engine → workflows → parts → values. And nothing heavy is loaded before it is needed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.pebble import PebbleServer
from tests.support.programs import wait_until
from tests.support.sources import ROOT, sources

BEHIND_THE_ENGINE = (
    "core.acme",
    "core.adopt",
    "core.apparmor",
    "core.challenges",
    "core.config.edit",
    "core.config.load",
    "core.detect",
    "core.dns",
    "core.fleet",
    "core.foreign",
    "core.store",
    "core.system",
    "core.targets",
    "core.workflows",
)
"""What a front end reaches only through the engine."""

PARTS = (
    "core/acme",
    "core/adopt",
    "core/apparmor",
    "core/challenges",
    "core/config",
    "core/detect",
    "core/dns",
    "core/fleet",
    "core/foreign",
    "core/idle",
    "core/notify",
    "core/schedule",
    "core/store",
    "core/system",
    "core/targets",
    "core/upload",
    "core/web",
    "core/x509",
)

HEAVY = (
    "acme",
    "cryptography",
    "dns",
    "httpx",
    "josepy",
    "platformdirs",
    "requests",
    "sqlite3",
    "textual",
    "tomlkit",
    "httpcore",
    "urllib3",
    "publicsuffixlist",
)
"""What a scheduled run with nothing due must not pay for."""


def test_core_knows_no_front_end() -> None:
    """Nothing in core imports tui, themes or Textual."""
    assert [
        found for source in sources("core") for found in source.imported_below("tui", "themes", "textual", "rich")
    ] == []


def test_command_line_needs_no_textual() -> None:
    """Neither tui.cli nor the wording that both front ends share imports Textual or Rich, not even inside a function."""
    assert [
        found for source in sources("tui/cli", "tui/wording") for found in source.imported_below("textual", "rich")
    ] == []


def test_front_ends_stand_apart() -> None:
    """The console does not use the command line's modules, nor the command line the console's; only __main__ knows both."""
    found = [
        hit for source in sources("tui/cli") for hit in source.imported_below("tui.app", "tui.screens", "tui.widgets")
    ]
    console = [*sources("tui/screens", "tui/widgets"), *(each for each in sources("tui") if each.name == "tui/app.py")]
    assert found + [hit for source in console for hit in source.imported_below("tui.cli")] == []


def test_front_ends_never_reach_past_the_engine() -> None:
    """A front end uses the engine, its values, its errors and its events, and nothing that does the work."""
    assert [found for source in sources("tui") for found in source.imported_below(*BEHIND_THE_ENGINE)] == []


def test_widgets_have_no_engine() -> None:
    """A widget shows values that it is given; it neither knows the engine nor a screen."""
    found = [
        hit
        for source in sources("tui/widgets")
        for hit in source.imported_below("core.engine", "tui.screens", "tui.app")
    ]
    assert found == []


def test_parts_do_not_know_who_uses_them() -> None:
    """The parts of the engine, and its values, import neither workflows nor the engine, and workflows do not import the engine."""
    values = [source for source in sources("core") if source.name.count("/") == 1]
    found = [
        hit for each in (*sources(*PARTS), *values) for hit in each.imported_below("core.workflows", "core.engine")
    ]
    assert found + [hit for source in sources("core/workflows") for hit in source.imported_below("core.engine")] == []


def test_only_the_engine_opens_the_real_world() -> None:
    """Only the engine, when it is opened for real, imports core.system: everything else is handed its ports."""
    outside = (source for source in sources("core", "tui") if not source.name.startswith("core/system/"))
    assert {source.name for source in outside if source.imported_below("core.system")} <= {"core/engine/__init__.py"}


def test_foreign_folders_know_nothing_of_ours() -> None:
    """core.foreign works on folders and files of any kind: of the project it imports itself, and what runs things side by side."""
    imported = [hit for source in sources("core/foreign") for hit in source.imported_below("core", "tui")]
    assert [hit for hit in imported if not hit.split()[1].startswith(("core.foreign", "core.concurrently"))] == []


def test_x509_is_pure() -> None:
    """core.x509 turns bytes into values: it imports itself and a few modules of values, and reads no file."""
    allowed = ("core.x509", "core.dates", "core.errors", "core.key_types", "core.version", "core.text")
    for source in sources("core/x509"):
        ours = [hit for hit in source.imported_below("core") if not hit.split()[1].startswith(allowed)]
        assert [hit for hit in ours if hit.split()[1] != "core"] == []
        assert source.imported_below("os", "shutil", "tempfile") == []


def _module(name: str, known: set[str]) -> str | None:
    """Return the project's module that an imported name lives in."""
    return name if name in known else name.rpartition(".")[0] if name.rpartition(".")[0] in known else None


def _circles(folder: str) -> list[list[str]]:
    """Return the groups of modules that import one another: inside functions and for types alone as well."""
    all_sources = list(sources(folder))
    known = {source.module for source in all_sources}
    graph: dict[str, set[str]] = {}
    for source in all_sources:
        names = source.imports
        # `from tui import text` needs tui.text; that tui itself is imported as well says nothing.
        found = {_module(name, known) for name in names if not any(other.startswith(f"{name}.") for other in names)}
        graph[source.module] = {module for module in found if module} - {source.module}
    reached = {module: _reached(graph, module) for module in graph}
    groups = {
        tuple(sorted(other for other in reached[module] if module in reached[other]))
        for module in graph
        if module in reached[module]
    }
    return sorted(map(list, groups))


def _reached(graph: dict[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    ahead = list(graph[start])
    while ahead:
        module = ahead.pop()
        if module not in found:
            found.add(module)
            ahead += graph[module]
    return found


@pytest.mark.parametrize("folder", ["core", "tui"])
def test_no_modules_import_one_another(folder: str) -> None:
    """No module imports itself over others: neither at the top, nor inside a function, nor for types alone."""
    assert _circles(folder) == []


def test_a_circle_would_be_found() -> None:
    """The search finds a circle of three in a made-up graph, and none in a tree."""
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}
    assert _reached(graph, "d") == {"a", "b", "c"}
    assert "a" in _reached(graph, "a")
    assert "d" not in _reached(graph, "d")


MEASURE = """
import sys
from tui.__main__ import main
sys.argv = ["certdeck", *sys.argv[1:]]
try:
    status = main()
except SystemExit as end:
    status = end.code
print("MODULES", status or 0, *sorted(sys.modules), file=sys.stderr)
"""


def _modules_of(*arguments: str, home: Path, expected: str = "0") -> set[str]:
    """Run a command in a process of its own, and return the modules that it had loaded in the end."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *arguments],
        check=False,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "CERTDECK_HOME": str(home), "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "MODULES" in done.stderr, done.stdout + done.stderr
    status, *modules = done.stderr.rpartition("MODULES")[2].split()
    assert status == expected, done.stdout + done.stderr
    return set(modules)


@pytest.fixture
def appliance(home: Path) -> Path:
    """A home after its first boot."""
    _modules_of("first-boot", "--hostname", "box.example.com", home=home)
    return home


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["status"], id="status"),
        pytest.param(["status", "--json"], id="status-json"),
        pytest.param(["status", "--check"], id="status-check"),
        pytest.param(["--renew"], id="renew"),
        pytest.param(["--renew", "--json"], id="renew-json"),
    ],
)
def test_the_daily_look_loads_nothing_heavy(appliance: Path, command: list[str]) -> None:
    """Looking at the state, and the scheduled run with nothing due, load none of the heavy libraries.

    Once a day `status --check` opens what is sealed, and needs them for that.
    """
    expected = "1" if "--check" in command else "0"  # there is no timer
    if "--check" in command:
        _modules_of(*command, home=appliance, expected=expected)
    assert sorted(_modules_of(*command, home=appliance, expected=expected) & set(HEAVY)) == []


@pytest.mark.parametrize("command", [pytest.param(["status"], id="status"), pytest.param(["--renew"], id="renew")])
def test_the_daily_look_hashes_and_inspects_nothing(appliance: Path, command: list[str]) -> None:
    """With nothing changed, neither OpenSSL's hashes nor what msgspec only takes two functions from are loaded."""
    wait_until(lambda: not _modules_of("status", home=appliance) & {"_hashlib"}, "an index that is up to date")
    for place in ("idle", "last-run.json"):
        (appliance / "state" / place).unlink(missing_ok=True)
    loaded = _modules_of(*command, home=appliance)
    assert "msgspec" in loaded
    assert sorted(loaded & {"_hashlib", "inspect", "tokenize", "typing_extensions"}) == []


def test_a_deployment_loads_no_cryptography(appliance: Path) -> None:
    """Where no old key has to be sealed, a version is checked and deployed without the heavy libraries but the log's."""
    assert sorted(_modules_of("deploy", "default", home=appliance) & set(HEAVY)) == ["sqlite3"]


@pytest.mark.e2e
def test_an_issuance_loads_what_it_needs(pebble: PebbleServer, home: Path) -> None:
    """An issuance without trouble loads neither what words a refusal, nor what edits a person's file, nor anyio."""
    (home / "etc").mkdir(parents=True)
    (home / "etc" / "certdeck.toml").write_text(
        f'[issuers.near]\ndirectory = "{pebble.directory_url}"\nca_bundle = "{pebble.ca_pem}"\nagree_tos = true\n'
        f'[http01]\naddress = "127.0.0.1"\nport = {pebble.http01_port}\n'
    )
    loaded = _modules_of("issue", "-d", "few.certdeck.test", "--issuer", "near", home=home)
    assert sorted(loaded & {"anyio", "core.acme.request_words", "difflib", "tomlkit", "typing_extensions"}) == []


@pytest.mark.parametrize("command", ["check", "import"])
def test_an_upload_loads_what_it_needs(appliance: Path, command: str) -> None:
    """A pair of PEM files is checked and imported without the HTTP client, other formats, or what looks for other clients."""
    folder = appliance / "state" / "live" / "default"
    words = [command, *(["brought"] if command == "import" else [])]
    pair = ("--cert", str(folder / "fullchain.pem"), "--key", str(folder / "privkey.pem"))
    loaded = _modules_of(*words, *pair, *(["--force"] if command == "import" else []), home=appliance)
    assert (
        sorted(loaded & {"core.adopt.launches", "core.upload.pkcs12", "httpcore", "httpx", "josepy", "tomlkit"}) == []
    )


def test_a_repeated_run_loads_next_to_nothing(appliance: Path) -> None:
    """Once a scheduled run has left its answer, the next one loads neither a parser nor a codec nor a class of values."""
    wait_until(lambda: _modules_of("--renew", home=appliance) and (appliance / "state/idle").exists(), "the answer")
    loaded = _modules_of("--renew", home=appliance)
    assert sorted(loaded & {*HEAVY, "argparse", "datetime", "json", "logging", "msgspec", "pathlib", "tomllib"}) == []


def test_the_daily_look_knows_no_limits(appliance: Path) -> None:
    """However much is counted against the limits of CAs, status and a run with nothing due do not read it."""
    (appliance / "state" / "ledger.json").write_text('{"format": 1, "uses": []}')
    counts = {"core.budget", "core.store.ledger", "core.registered_domain"}
    for command, expected in ((["status", "--check"], "1"), (["--renew"], "0")):
        assert sorted(_modules_of(*command, home=appliance, expected=expected) & counts) == []


def test_a_run_with_nothing_to_tell_loads_no_channel(appliance: Path) -> None:
    """Notifications that are set up cost a run with nothing to tell none of what they send with."""
    (appliance / "etc" / "certdeck.toml").write_text(
        '[notifications.a]\nkind = "smtp"\nhost = "mail.example.com"\nto = "a@b.example"\non = ["failed"]\n'
        '[notifications.b]\nkind = "webhook"\nurl = "https://hook.example.com/"\non = ["renewed"]\n'
        '[notifications.c]\nkind = "apprise"\non = ["deadline"]\n'
    )
    senders = {*HEAVY, "apprise", "email", "hmac", "http", "smtplib", "ssl"}
    assert sorted(_modules_of("--renew", home=appliance) & senders) == []


@pytest.mark.parametrize("command", [pytest.param(["--version"], id="version"), pytest.param(["--help"], id="help")])
def test_asking_the_program_loads_nothing_heavy(home: Path, command: list[str]) -> None:
    """Version and help come without any of the heavy libraries, and make no file."""
    assert sorted(_modules_of(*command, home=home) & set(HEAVY)) == []
    assert not home.exists()
