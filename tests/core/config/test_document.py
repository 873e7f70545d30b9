"""core.config.document: every line that is not meant stays as it was."""

from __future__ import annotations

import tomllib

import pytest
import tomlkit

from core.config.document import edited

TEXT = """\
# The box in the cellar.

[appliance]
name = "Acme"   # shown in titles

# The web server.
[targets.web]
certificate = "/a.crt"
key = "/a.key"

# The mail server, do not touch.
[targets.mail]
certificate = "/b.crt"
key = "/b.key"
test = [
  "postfix",  # the program
  "check",
]

# Issuers come last.
[issuers."my.ca"]
directory = "https://ca.example/dir"
"""


def test_removing_a_table_keeps_the_comment_above_the_next() -> None:
    """Removing a table removes its own lines and no comment, neither above it nor above the next."""
    made = edited(TEXT, {("targets", "web"): None})
    assert made == TEXT.replace('[targets.web]\ncertificate = "/a.crt"\nkey = "/a.key"\n\n', "")


def test_a_value_is_replaced_in_its_line() -> None:
    """A replaced value leaves the comment behind it and every other line."""
    made = edited(TEXT, {("appliance", "name"): "Other"})
    assert made == TEXT.replace('"Acme"', '"Other"')


def test_a_new_key_stands_with_its_table() -> None:
    """A new key comes after the last of its table, before the comment of the next."""
    made = edited(TEXT, {("targets", "web", "mode"): "copy"})
    assert made == TEXT.replace('key = "/a.key"\n', 'key = "/a.key"\nmode = "copy"\n')


def test_a_new_table_stands_with_its_kind() -> None:
    """A new target comes after the last target, with blank lines around it and no comment torn off."""
    made = edited(TEXT, {("targets", "ftp"): {"certificate": "/c.crt", "key": "/c.key", "test": ("a", "b c")}})
    new = '\n[targets.ftp]\ncertificate = "/c.crt"\nkey = "/c.key"\ntest = ["a", "b c"]\n'
    assert made == TEXT.replace('  "check",\n]\n', f'  "check",\n]\n{new}')


def test_a_new_section_stands_at_the_end() -> None:
    """A key of a section that is not there makes the section at the end."""
    assert edited(TEXT, {("defaults", "issuer"): "x"}) == TEXT + '\n[defaults]\nissuer = "x"\n'


def test_an_empty_text_takes_a_table_and_a_key() -> None:
    """An empty file gets what is set and nothing else."""
    assert edited("", {("a", "b"): 1}) == "[a]\nb = 1\n"
    assert edited("", {("a",): True}) == "a = true\n"


def test_a_top_level_key_goes_before_the_tables() -> None:
    """A key without a table never lands in the last table of the file."""
    made = edited("x = 1\n# about t\n[t]\ny = 2\n", {("z",): 3})
    assert made == "x = 1\nz = 3\n# about t\n[t]\ny = 2\n"


def test_removing_a_key_keeps_its_neighbours() -> None:
    """A removed key takes its line, and only it."""
    assert edited(TEXT, {("appliance", "name"): None}).splitlines()[2:4] == ["[appliance]", ""]
    made = edited(TEXT, {("targets", "mail", "test"): None})
    assert tomllib.loads(made)["targets"]["mail"] == {"certificate": "/b.crt", "key": "/b.key"}
    assert "# Issuers come last." in made


def test_windows_line_ends_stay() -> None:
    """A file with CRLF has CRLF everywhere after any edit."""
    text = TEXT.replace("\n", "\r\n")
    made = edited(
        text,
        {
            ("appliance", "name"): "Other",
            ("targets", "web"): None,
            ("targets", "mail", "mode"): "copy",
            ("targets", "new"): {"certificate": "/c", "key": "/d"},
        },
    )
    assert made.count("\r\n") == made.count("\n")
    assert tomllib.loads(made.replace("\r\n", "\n"))["targets"]["new"] == {"certificate": "/c", "key": "/d"}


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ('targets.web.certificate = "/a"\ntargets.web.key = "/b"\n', {("targets", "web"): None}),
        ('[targets]\nweb = { certificate = "/a", key = "/b" }\n', {("targets", "web", "mode"): "copy"}),
        ('[targets]\nweb = { certificate = "/a", key = "/b" }\n', {("targets", "web"): None}),
        ('[a]\nx = [\n  [1],\n]\n[b]\ny = """\n[a]\n"""\n', {("a", "z"): 1, ("b",): None}),
        (
            '[targets.a]\nx = "1"\n[other]\ny = 1\n[targets.b]\nx = "2"\n',
            {("targets", "a"): None, ("targets", "c"): {"x": "3"}},
        ),
        ("[a]\nx = 1", {("a", "y"): "\x1b[31m", ("b.c", "d"): ["e", "f"]}),
        ("a = [\n[1]\n]\n", {("b",): 1, ("c",): "x"}),
        ('a = """\n[b]\n"""\n', {("b",): 1, ("c",): "x"}),
    ],
    ids=[
        "dotted keys",
        "inline table",
        "inline table removed",
        "headers inside values",
        "out of order",
        "odd names",
        "an item like a header",
        "a line like a header",
    ],
)
def test_unusual_texts_mean_what_they_should(text: str, changes: dict[tuple[str, ...], object]) -> None:
    """Whatever way a file is written, the result means the old content with exactly the change."""
    wanted = tomllib.loads(text)
    for (*above, last), value in changes.items():
        table = wanted
        for key in above:
            table = table.setdefault(key, {})
        if value is None:
            del table[last]
        else:
            table[last] = value
    made = tomllib.loads(edited(text, changes))
    assert {key: value for key, value in made.items() if value} == {
        key: value for key, value in wanted.items() if value
    }


def test_no_change_is_no_change() -> None:
    """Setting what is there already, or removing what is not, returns the very same text."""
    assert edited(TEXT, {("appliance", "name"): "Acme", ("targets", "none"): None, ("no", "such"): None}) == TEXT


@pytest.mark.parametrize(
    "value",
    ["a", "", "it's", 'say "hi"', "back\\slash", "tab\there", "two\nlines", "ü", "\x7f", 1, -5, True, False, [], ["a"],
     ("a", "b"), ["a", 'b"'], [1, 2]],
)  # fmt: skip
def test_simple_values_are_written_as_tomlkit_writes_them(value: object) -> None:
    """What is written without tomlkit, because loading that takes longer than the edit, has its form."""
    plain = list(value) if isinstance(value, tuple) else value
    assert edited("", {("key",): value}) == f"key = {tomlkit.item(plain).as_string()}\n"
    assert tomllib.loads(edited("", {("key",): value})) == {"key": plain}
