"""Configuration texts with the managed blocks in them, and without them again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

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
    """Rendering and removing gives back every byte, and rendering again changes nothing."""
    text = EXAMPLES[kind]
    rendered = SERVERS[kind].render(text, WANTED)
    assert rendered is not None
    assert holds(rendered.text, "web")
    assert without(rendered.text, "web") == text
    again = SERVERS[kind].render(without(rendered.text, "web"), WANTED)
    assert again is not None
    assert again.text == rendered.text


ODD = [
    ("nginx", "http { server { listen 443 ssl; ssl_certificate /c.pem; ssl_certificate_key /k.pem; } }"),
    ("nginx", "server {\r\n listen 443 ssl;\r\n ssl_certificate /c.pem;\r\n ssl_protocols TLSv1;\r\n}\r\n# end\r\n"),
    ("nginx", 'server {\n listen 443 ssl;\n ssl_certificate "/c.pem"; # it\'s here\n root /srv/${host}/a;\n}'),
    ("nginx", "server { listen [::1]:443 ssl; ssl_certificate etc/../c.pem; } server { ssl_certificate c.pem; }"),
    ("apache", "<VirtualHost [::1]:443>\n SSLCertificateFile 'c.pem'\n</VirtualHost>"),
    ("haproxy", 'frontend f\n bind :443 ssl crt "/c.pem"\nfrontend g\n bind :444 ssl crt /c.pem\n'),
    ("caddy", "a.example.com {\n\ttls `/c.pem` /k.pem\n}\n"),
]
"""Valid configurations that few people write."""


@pytest.mark.parametrize(("kind", "text"), ODD)
def test_an_odd_but_valid_file_is_changed_and_comes_back(kind: str, text: str) -> None:
    """Servers on one line, DOS line ends, quotation marks and relative paths: found, changed, and every byte back afterwards."""
    wanted = replace(WANTED, base="/")
    rendered = SERVERS[kind].render(text, wanted)
    assert rendered is not None
    assert without(rendered.text, "web") == text
    again = SERVERS[kind].render(without(rendered.text, "web"), wanted)
    assert again is not None
    assert again.text == rendered.text


def test_braces_without_end_stop_nothing() -> None:
    """A file that nests deeper than any server would, or is no configuration at all, is read like another."""
    assert nginx.render("a {" * 20_000 + "}" * 20_000, WANTED) is None
    rendered = nginx.render("a {" * 20_000 + "}" * 20_000 + SITE, WANTED)
    assert rendered is not None
    assert "server_name a.example.com www.example.com;" in rendered.text


def test_server_names_are_quoted_where_nginx_needs_it() -> None:
    """A regular expression with braces stays in quotation marks in the redirect, or nginx would refuse it."""
    names = 'server_name "~^(?<n>\\w{1,9})\\.example\\.com$" a.example.com;'
    rendered = nginx.render(f"server {{\n listen 443 ssl;\n {names}\n ssl_certificate /c.pem;\n}}\n", WANTED)
    assert rendered is not None
    assert rendered.text.count(names) == 2


def test_every_frontend_with_the_certificate_sends_the_headers() -> None:
    """HAProxy: each section that binds the certificate gets the headers; the redirect listens wherever the port is the same."""
    first = "frontend f\n bind 192.0.2.1:443 ssl crt /c.pem\n bind 192.0.2.2:443 ssl crt /c.pem\n"
    text = f"{first}listen g\n bind :444 ssl crt /c.pem\n"
    rendered = SERVERS["haproxy"].render(text, replace(WANTED, redirect=Redirect(port=80, upstream="127.0.0.1:8402")))
    assert rendered is not None
    assert rendered.text.count("set-header X-Frame-Options") == 2
    assert "    bind 192.0.2.1:80,192.0.2.2:80\n" in rendered.text


@pytest.mark.parametrize(
    ("kind", "test"),
    [("apache", ["apache2", "-d", "@", "-f", "@/main", "-t"]), ("haproxy", ["haproxy", "-c", "-f", "@"])],
)
def test_a_folder_of_configuration_is_looked_through(kind: str, test: list[str], tmp_path: Path) -> None:
    """Apache includes the files of a folder by its name, and HAProxy reads a folder behind -f."""
    (tmp_path / "main").write_text("Include sites\n", encoding="utf-8")
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites/a.conf").touch()
    (tmp_path / "b.cfg").touch()
    argv = tuple(word.replace("@", str(tmp_path)) for word in test)
    target = TargetConfig(name="web", kind=kind, certificate="/c.pem", key="/k.pem", test=argv)
    found = SERVERS[kind].files(target, lambda path: path.read_text() if path.is_file() else None)
    assert tmp_path / ("sites/a.conf" if kind == "apache" else "b.cfg") in found


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
    assert rendered.notes == ("location / has its own headers, so nginx does not send the server's headers there.",)
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


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("apache", "Define A /etc\nDefine B ${A}/tls\n<VirtualHost *:443>\n  SSLCertificateFile ${B}/c.pem\n</VirtualHost>\n"),
        ("haproxy", "global\n    crt-base /etc/tls\n\nfrontend f\n    bind :443 ssl crt c.pem\n"),
        ("haproxy", "global\n    crt-base /etc\n\nfrontend f\n    bind :443 ssl crt-list {list}\n"),
    ],
)  # fmt: skip
def test_a_certificate_named_in_another_way_is_found(kind: str, text: str, tmp_path: Path) -> None:
    """Variables of Apache, HAProxy's `crt-base` and its lists lead to the certificate; the block goes where it is named."""
    (tmp_path / "list").write_text("# these\ntls/c.pem [alpn h2] a.example.com\n")
    text = text.replace("{list}", f"{tmp_path}/list")
    wanted = replace(WANTED, certificate="/etc/tls/c.pem")
    server = SERVERS[kind]
    assert server.render(text, wanted) is None
    assert server.spellings is not None
    spelled = frozenset(server.spellings([text], wanted.is_certificate, lambda path: path.read_text()))
    rendered = server.render(text, replace(wanted, spellings=spelled))
    assert rendered is not None
    assert without(rendered.text, "web") == text


def test_apache_follows_an_include_with_a_variable(tmp_path: Path) -> None:
    """A file that is included by a variable is one of the configuration's."""
    main = tmp_path / "apache2.conf"
    main.write_text(f"Define SITES {tmp_path}/sites\nInclude ${{SITES}}/*.conf\n")
    (tmp_path / "sites").mkdir()
    site = tmp_path / "sites" / "a.conf"
    site.write_text("# a site\n")
    target = TargetConfig(name="web", kind="apache", test=("apache2", "-f", str(main), "-t"))
    assert SERVERS["apache"].files(target, lambda path: path.read_text() if path.is_file() else None) == (main, site)
