"""Manual pages and completions, made from the table of commands and their parsers."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.sources import ROOT
from tui.cli import completion, manual
from tui.cli.catalogue import COMMANDS


def test_every_command_has_a_page_with_its_options() -> None:
    """A page has the summary, each long option, and what each exit status means."""
    pages = dict(manual.pages())
    options = completion.commands()
    for words in COMMANDS:
        text = pages[f"certdeck-{words.replace(' ', '-')}.1"]
        for option in options[words]:
            assert option.replace("-", "\\-") in text, (words, option)
        assert '.SH "EXIT STATUS"' in text, words


def test_the_configuration_has_every_key() -> None:
    """certdeck.toml(5) has a section for each table and its keys, with defaults and what the model says of them."""
    text = manual.configuration()
    for expected in (
        '"[http01]"',
        '"[targets.NAME]"',
        "renew_days_before",
        "port = 80",
        '"[issuers.NAME]"',
        "auto_renew = true",
    ):
        assert expected.replace("-", "\\-") in text, expected


def test_everything_is_described() -> None:
    """Behind each option, argument and key there is a text, and none of it is meant for developers."""
    pages = {**dict(manual.pages()), "vendor": (ROOT / "packaging/man/certdeck-vendor.7").read_text()}
    for name, text in pages.items():
        assert not re.search(r"^\.TP\n\.B .*\n\\&$", text, re.MULTILINE), name
        found = re.search(r"\([A-Z]{2}\\-\d\d|core\.|None:|…\.|(?<![\w-])(\w{3,}) \1\b", text)
        assert found is None, (name, found)
        assert "lineage" not in text.lower().replace("\\-\\-lineage", ""), name


def test_commands_in_a_description_keep_their_lines() -> None:
    """What is to be copied from a description stands on lines of its own."""
    text = manual.page("backup")
    assert ".nf\n  openssl genpkey \\-algorithm X25519 \\-out backup.key\n  openssl pkey" in text


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_groff_has_nothing_to_complain_of(tmp_path: Path) -> None:
    """groff formats every page as man has it do, without a warning."""
    names = []
    for name, text in manual.pages():
        (tmp_path / name).write_text(text)
        names.append(name)
    done = subprocess.run(
        ["groff", "-mandoc", "-Tutf8", "-P-bco", "-wmac", "-k", "-t", *names],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.count("EXIT STATUS") >= len(COMMANDS)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("certdeck iss", {"issue", "issuer"}),
        ("certdeck issuer de", {"default"}),
        ("certdeck issue --agr", {"--agree-tos"}),
        ("certdeck target add x --mode ", {"link", "copy"}),
    ],
)
def test_bash_completes(line: str, expected: set[str]) -> None:
    """Commands, second words, options and fixed values are completed, without starting certdeck."""
    words = line.split(" ")
    script = (
        f"{completion.bash()}\nCOMP_WORDS=({' '.join(repr(word) for word in words)})\nCOMP_CWORD={len(words) - 1}\n"
        '_certdeck\nprintf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=20, check=True)
    assert expected <= set(done.stdout.split()), done.stdout
    assert done.stderr == ""
