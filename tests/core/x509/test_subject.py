"""Subjects as people write them."""

from __future__ import annotations

import pytest

from core.x509.subject import BadSubject, parse_subject, subject_text


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ()),
        ("O=Acme Ltd,C=DE", (("C", "DE"), ("O", "Acme Ltd"))),
        (" c = de , o = Acme ", (("C", "DE"), ("O", "Acme"))),
        (r"O=Acme\, Inc.,ST=Texas", (("ST", "Texas"), ("O", "Acme, Inc."))),
        ("country=AT,city=Wien,organization=Bäcker,OU=IT", (("C", "AT"), ("L", "Wien"), ("O", "Bäcker"), ("OU", "IT"))),
        ("O=a=b", (("O", "a=b"),)),
    ],
)
def test_what_is_understood(text: str, parts: tuple[tuple[str, str], ...]) -> None:
    """Kinds in any case, order and of several spellings are put into the order of a name; the kept text reads the same again."""
    assert parse_subject(text) == parts
    assert parse_subject(subject_text(parts)) == parts


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Acme", "not a supported part"),
        ("X=1", "not a supported part"),
        ("O=", "empty"),
        ("O=a,O=b", "twice"),
        ("C=Germany", "two-letter"),
        ("C=D1", "two-letter"),
        ("O=" + "x" * 65, "64"),
        ("CN=shop.example.com", "common name"),
        ("O=a\x1b[31m", "invisible characters"),
        ("\x1b=1", "'\ufffd'"),
        ("O=a,,C=DE", "not a supported part"),
    ],
)
def test_what_is_refused(text: str, word: str) -> None:
    """What is no subject is refused in words that hold no control character."""
    with pytest.raises(BadSubject) as caught:
        parse_subject(text)
    error = caught.value
    assert word in f"{error.what} {error.why}"
    assert error.fix
    assert "\x1b" not in str(error)
