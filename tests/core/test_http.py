"""What every HTTP answer is judged by: words of any form, pages, and the waits between tries."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import CertdeckError
from core.http import WHOLE_SECONDS, Backoff, Improper, first_words, improper
from core.ports import CancelToken, Response
from tests.support.clock import FakeClock, FakeRandom
from tests.support.transport import reply

FAILURE = CertdeckError("what", "why", "fix")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (reply(403, "  \n Denied by rule 4.\nMore", content_type="text/plain"), "Denied by rule 4."),
        (reply(403, "<html><TITLE>\n A &lt;b&gt;\n</TITLE>", content_type="text/html"), "A <b>"),
        (reply(503, "<!doctype html><h1 class=x>Down <i>now</i></h1>"), "Down  now"),
        (reply(500, "<html><body>nothing said</body></html>"), ""),
        (reply(400, {"error": "no such tenant"}), "no such tenant"),
        (reply(400, {"code": 7}), ""),
        (reply(400, ["a"]), ""),
        (reply(400, b"\xff\xd8\xff\xe0"), ""),
        (reply(400, b""), ""),
        (reply(400, b"<?xml version='1.0'?><a/>"), ""),
    ],
)
def test_the_first_words_of_an_answer(answer: Response, words: str) -> None:
    """A title, a message or a first line; nothing rather than markup or bytes."""
    assert first_words(answer) == words


@given(st.binary(max_size=300), st.sampled_from(["text/html", "application/json", "text/plain", ""]))
def test_any_body_has_words_or_none(body: bytes, kind: str) -> None:
    """No body, however damaged, makes anything but text."""
    assert isinstance(first_words(Response(status=500, headers={"content-type": kind}, body=body)), str)


def test_what_no_interface_answers() -> None:
    """A redirect, an answer that was cut and a page are recognised; an empty body is none of them, whatever its type says."""
    assert improper(reply(302, b"")) is Improper.REDIRECT
    assert improper(Response(status=200, headers={}, body=b"x", truncated=True)) is Improper.ENDLESS
    assert improper(reply(200, "<html></html>")) is Improper.PAGE
    assert improper(reply(200, b"", content_type="text/html")) is None
    assert improper(reply(200, {"a": 1})) is None


def test_the_waits_grow_and_end() -> None:
    """Each wait is longer than the last; when they are used up the error is raised."""
    clock = FakeClock()
    backoff = Backoff(clock, FakeRandom(), CancelToken(), (0.5, 2.0, 8.0))
    for _ in range(3):
        backoff.wait_or_raise(FAILURE)
    assert clock.naps == sorted(clock.naps)
    with pytest.raises(CertdeckError):
        backoff.wait_or_raise(FAILURE)
    assert len(clock.naps) == 3


def test_no_wait_goes_beyond_the_minute() -> None:
    """A wait that the server asks for and that is too long ends the tries at once."""
    clock = FakeClock()
    backoff = Backoff(clock, FakeRandom(), CancelToken(), (0.5, 2.0))
    assert backoff.wait(clock.now() + timedelta(seconds=20))
    assert clock.naps == [20.0]
    assert not backoff.wait(clock.now() + timedelta(seconds=WHOLE_SECONDS))
    assert clock.naps == [20.0]
