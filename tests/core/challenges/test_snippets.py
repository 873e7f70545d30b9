"""Ready lines for web servers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from core.challenges.snippets import proxy_snippets, webroot_snippets
from tests.support.programs import find_program


@pytest.mark.parametrize(
    ("address", "reached"),
    [
        ("0.0.0.0", "127.0.0.1:1234"),
        ("::", "[::1]:1234"),
        ("192.0.2.1", "192.0.2.1:1234"),
        ("fd00::1", "[fd00::1]:1234"),
    ],
)
def test_each_server_is_told_where_we_listen(address: str, reached: str) -> None:
    """SF-07: every kind of web server gets lines with the challenge path and our address."""
    snippets = proxy_snippets(address, 1234)
    assert set(snippets) == {"nginx", "haproxy", "apache"}
    for text in snippets.values():
        assert "/.well-known/acme-challenge/" in text
        assert reached in text


@pytest.mark.e2e
@pytest.mark.parametrize("kind", ["proxy", "webroot"])
def test_nginx_takes_its_lines(tmp_path: Path, kind: str) -> None:
    """SO-22: the lines for nginx pass its own configuration test."""
    lines = proxy_snippets("0.0.0.0", 1234) if kind == "proxy" else webroot_snippets(tmp_path)
    config = tmp_path / "nginx.conf"
    config.write_text(
        f"pid {tmp_path}/pid; error_log {tmp_path}/error.log;\nevents {{}}\n"
        f"http {{ access_log off; server {{ listen 127.0.0.1:18080; {lines['nginx']} }} }}\n"
    )
    tested = subprocess.run(
        [find_program("nginx"), "-t", "-c", str(config), "-p", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert tested.returncode == 0, tested.stderr


def test_two_do_not_share_one_port() -> None:
    """Where ours is port 80, which the web server has, the lines say where to move it and lead there."""
    for lines in proxy_snippets("0.0.0.0", 80).values():
        assert "[http01] port = 8402" in lines
        assert "127.0.0.1:8402" in lines
