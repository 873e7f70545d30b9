"""Configuration texts with the managed blocks in them, and without them again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config.model import TargetConfig
from core.ports import Response
from core.web import nginx
from core.web.answers import judge
from core.web.blocks import block, holds, replaced, without
from core.web.headers import FIXED, FULL, HSTS, headers, hsts_value, next_stage
from core.web.servers import SERVERS
from core.web.wanted import Redirect, Wanted
from tests.support.clock import NOON

WANTED = Wanted(
    target="web", certificate="/c.pem", headers=headers("max-age=300"), redirect=Redirect(port=80, webroot="/w")
)
SITE = """\
# a comment with a { and a ; and "quotes
events {}
http {
    map $x $y { default "a { b"; }
    server {
        listen 443 ssl http2;
        listen [::]:443 ssl;
        server_name a.example.com www.example.com;
        ssl_certificate /c.pem; ssl_certificate_key /k.pem;
        ssl_protocols TLSv1;
        location / { add_header X-A b; return 200 "}"; }
    }
    server { listen 443 ssl; ssl_certificate /other.pem; }
}
"""
EXAMPLES = {
    "nginx": SITE,
    "apache": "<VirtualHost *:443>\n  ServerName a.example.com\n  SSLCertificateFile /c.pem\n</VirtualHost>\n# end",
    "haproxy": "global\n    daemon\n\nfrontend f\n    bind :443 ssl crt /c.pem\n    mode http\n\nbackend b\n    mode http\n",
    "caddy": "a.example.com {\n\ttls /c.pem /k.pem\n\trespond ok\n}\n",
}


@pytest.mark.parametrize("kind", sorted(EXAMPLES))
def test_a_block_that_is_taken_out_leaves_the_file_as_it_was(kind: str) -> None:
    """Rendering and removing gives back every byte but the line break that nginx needs, and rendering again changes nothing."""
    text = EXAMPLES[kind]
    rendered = SERVERS[kind].render(text, WANTED)
    assert rendered is not None
    assert holds(rendered.text, "web")
    assert without(rendered.text, "web").split() == text.split()
    again = SERVERS[kind].render(without(rendered.text, "web"), WANTED)
    assert again is not None
    assert again.text == rendered.text


@pytest.mark.parametrize("kind", sorted(EXAMPLES))
def test_a_file_that_does_not_name_the_certificate_is_left_alone(kind: str) -> None:
    """Only what serves the certificate of the target is changed."""
    assert SERVERS[kind].render(EXAMPLES[kind].replace("/c.pem", "/d.pem"), WANTED) is None


def test_nginx_keeps_what_would_clash_as_a_comment_and_tells_what_hides_headers() -> None:
    """A second `ssl_protocols` would be refused; a location with headers of its own shows none of the server's."""
    rendered = nginx.render(SITE, WANTED)
    assert rendered is not None
    assert "# certdeck web web replaced:         ssl_protocols TLSv1;" in rendered.text
    assert rendered.text.count("\n        ssl_protocols") == 1
    assert rendered.notes == ("location / has headers of its own, and nginx sends none of the server's there.",)
    assert "listen 80;\n        listen [::]:80;" in rendered.text
    assert "server_name a.example.com www.example.com;" in rendered.text
    assert 'root "/w";' in rendered.text
    assert rendered.text.count("begin:") == 2


@given(st.text(alphabet="ab#\n {}", max_size=60), st.text(alphabet="ab# ", max_size=8))
def test_text_around_a_block_never_changes(around: str, line: str) -> None:
    """Whatever stands before and behind a block, and the line that it replaces, comes back."""
    text = f"{around}\n{block('web', ['x', 'y'], '  ')}\n{replaced('web', line)}\n{around}"
    assert without(text, "web") == f"{around}\n{line}\n{around}"


def test_a_block_without_its_end_takes_nothing_with_it() -> None:
    """Lines behind a begin whose end somebody has deleted may be their own."""
    text = block("web", ["x"]).rsplit("\n", 1)[0] + "\ntheirs\n"
    assert without(text, "web") == "x\ntheirs\n"


def test_hsts_rises_in_stages() -> None:
    """Five minutes, a day, a month, a year; each stage says when the next one comes (ST-50)."""
    day = timedelta(days=1)
    seen = [hsts_value("staged", NOON, NOON + days * day) for days in (-1, 0, 1, 6, 7, 29, 30, 900)]
    assert seen == ["max-age=300"] * 2 + ["max-age=86400"] * 2 + ["max-age=2592000"] * 2 + [FULL] * 2
    assert [next_stage("staged", NOON, NOON + days * day) for days in (0, 1, 8, 31)] == [
        NOON + day,
        NOON + 7 * day,
        NOON + 30 * day,
        None,
    ]
    assert hsts_value("off", NOON, NOON) is None
    assert (hsts_value("full", NOON, NOON), next_stage("full", NOON, NOON)) == (FULL, None)


def test_headers_are_judged() -> None:
    """Missing, doubled, other and unwanted headers are told apart, names in any case."""
    answer = Response(
        status=200,
        headers={},
        body=b"",
        header_lines=(
            ("x-frame-options", "DENY"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            (HSTS, "max-age=1"),
        ),
    )
    states = {seen.name: seen.state for seen in judge(answer, FIXED, [HSTS])}
    assert states == {
        "X-Frame-Options": "ok",
        "X-Content-Type-Options": "doubled",
        "X-XSS-Protection": "missing",
        "Referrer-Policy": "different",
        "Content-Security-Policy": "missing",
        HSTS: "unwanted",
    }


def test_includes_are_followed_as_nginx_does(tmp_path: Path) -> None:
    """Patterns, relative names and circles; the files come in the order in which they are read."""
    (tmp_path / "nginx.conf").write_text("http { include sites/*.conf; include nginx.conf; include missing.conf; }")
    (tmp_path / "sites").mkdir()
    for name in ("b.conf", "a.conf"):
        (tmp_path / "sites" / name).write_text("server { include ../snippets; }")
    (tmp_path / "snippets").write_text("gzip on;")
    target = TargetConfig(name="web", test=("nginx", "-t", "-c", f"{tmp_path}/nginx.conf"))
    found = nginx.files(target, lambda path: path.read_text() if path.exists() else None)
    assert [path.name for path in found][:3] == ["nginx.conf", "a.conf", "b.conf"]
    assert len([path for path in found if path.name == "snippets"]) <= 2
