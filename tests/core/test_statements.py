"""nginx's configuration language, with the place of each statement."""

from __future__ import annotations

import pytest

from core.statements import MOST_DEPTH, parse

TEXT = """\
# a { comment };
user www; http {
    server_name "a b" '\\'c' "~^(?<x>[a-z]{2})\\.d$" ${y};  # "
    proxy_pass http://[::1]//x;
    location ~ //e { return 200 "};"; }
}
"""


def test_each_statement_is_where_it_says() -> None:
    """Start and end of a statement are those of its text, whatever comments, quotation marks and regular expressions hold."""
    whole = parse(TEXT)
    user, http = whole.inner
    assert TEXT[user.start : user.end] == "user www;"
    assert TEXT[http.start : http.end] == TEXT[TEXT.index("http {") :].rstrip()
    names, proxy, location = http.inner
    assert names.words[:2] == ("a b", "'c")
    assert names.words[-1] == "${y}"
    assert proxy.words == ("http://[::1]//x",)
    assert (location.name, location.words, location.last("return")) == ("location", ("~", "//e"), "200")
    assert [each.words for each in whole.below("return")] == [("200", "};")]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", []),
        ("a b", []),
        ("a b; c {", ["a", "c"]),
        ("} a;", ["a"]),
        ('a "b', []),
        ("{ } a;", ["", "a"]),
        ("a {" * (MOST_DEPTH * 3) + "b;" + "}" * (MOST_DEPTH * 3) + "c;", ["a", "c"]),
    ],
)
def test_what_nginx_refuses_is_read_as_far_as_it_makes_sense(text: str, names: list[str]) -> None:
    """Nothing raises, and what stands behind an odd place is found again."""
    assert [each.name for each in parse(text).inner] == names
