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
        '__certdeck\nprintf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=20, check=True)
    assert expected <= set(done.stdout.split()), done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    "line", ["certdeck export x --out ", "certdeck import x --cert ", "certdeck issuer add x --ca-bundle "]
)
def test_bash_completes_files(line: str) -> None:
    """Where an option wants a file, nothing of ours is offered, and the shell completes files."""
    words = line.split(" ")
    script = (
        f"{completion.bash()}\nCOMP_WORDS=({' '.join(repr(word) for word in words)})\nCOMP_CWORD={len(words) - 1}\n"
        '__certdeck\nprintf "%s" "${COMPREPLY[@]}"\n'
    )
    assert subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=20, check=True).stdout == ""


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
@pytest.mark.parametrize(
    ("line", "expected", "unexpected"),
    [
        ("certdeck iss", {"issue", "issuer"}, {"list"}),
        ("certdeck issuer ", {"add", "list", "root"}, {"issue"}),
        ("certdeck issuer add ", set(), {"list", "root"}),
        ("certdeck fleet status --", {"--json"}, {"--check", "--what-if"}),
        ("certdeck status --", {"--json", "--check"}, set()),
        ("certdeck target add x --mode ", {"link", "copy"}, set()),
        ("certdeck import x --cert ./fil", {"./file.pem"}, set()),
    ],
)
def test_fish_completes(tmp_path: Path, line: str, expected: set[str], unexpected: set[str]) -> None:
    """fish offers the words that can follow, no options of a command with the same name, and files where an option wants one."""
    (tmp_path / "certdeck.fish").write_text(completion.fish())
    (tmp_path / "file.pem").touch()
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source certdeck.fish; complete -C '{line}'"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )  # fmt: skip
    offered = {each.partition("\t")[0] for each in done.stdout.splitlines()}
    assert expected <= offered
    assert not unexpected & offered
    assert done.stderr == ""


_FIRST_TAB = """
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1=; fpath=($PWD \\$fpath); autoload -U compinit; compinit -u -D; bindkey '^I' list-choices; echo READY"
zpty -r shell text '*READY*READY*'
zpty -w -n shell "$1"$'\\t'
zpty -r shell text "*$2*" && print -r -- "$text"
"""


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
@pytest.mark.parametrize(
    ("line", "expected"), [("certdeck issuer de", "default"), ("certdeck issue --agr", "--agree-tos")]
)
def test_zsh_completes_at_the_first_tab(tmp_path: Path, line: str, expected: str) -> None:
    """zsh loads the completion with the first Tab, and that Tab is answered."""
    (tmp_path / "_certdeck").write_text(completion.zsh())
    done = subprocess.run(
        ["zsh", "-f", "-c", _FIRST_TAB, "zsh", line, f"{expected}"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TERM": "dumb"},
    )  # fmt: skip
    assert expected in done.stdout
