"""Configuration snippets for the web server on port 80 (SF-07, SO-22): proxy the challenge to certdeck, or serve a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

PLACE = "/.well-known/acme-challenge/"


STANDARD_PORT = 80
OTHER_PORT = 8402
"""Proposed if a web server occupies port 80; not registered for any service that an appliance runs."""


def proxy_snippets(address: str, port: int) -> Mapping[str, str]:
    """Return, for each kind of web server, the lines that proxy the challenge to our listener at `address:port`.

    If that is port 80 itself, which the web server occupies, they begin with the setting that moves ours.
    """
    if port == STANDARD_PORT:
        move = f"# first, in certdeck.toml: [http01] port = {OTHER_PORT}\n"
        return {server: move + lines for server, lines in proxy_snippets(address, OTHER_PORT).items()}
    reached = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "[::1]"}.get(address)  # noqa: S104
    place = f"{reached or (f'[{address}]' if ':' in address else address)}:{port}"
    return {
        "nginx": (
            "# in every server block that listens on port 80, before any redirect\n"
            f"location ^~ {PLACE} {{\n    proxy_pass http://{place};\n    proxy_set_header Host $host;\n}}\n"
        ),
        "haproxy": (
            "# in the frontend on port 80, before any redirect\n"
            f"acl is_acme path_beg {PLACE}\nuse_backend certdeck if is_acme\n"
            "# and as a separate section\n"
            f"backend certdeck\n    server certdeck {place}\n"
        ),
        "apache": (
            "# in every virtual host on port 80; needs mod_proxy and mod_proxy_http\n"
            f"ProxyPass {PLACE} http://{place}{PLACE}\n"
        ),
    }


def webroot_snippets(folder: Path) -> Mapping[str, str]:
    """Return, for each kind of web server, the lines that serve the challenge from `folder`."""
    return {
        "nginx": (
            "# in every server block that listens on port 80, before any redirect\n"
            f'location ^~ {PLACE} {{\n    root "{folder}";\n    default_type text/plain;\n}}\n'
        ),
        "haproxy": (
            "# HAProxy serves no files: pass the challenge on to a web server that does, or to certdeck itself\n"
            f"acl is_acme path_beg {PLACE}\nuse_backend webroot if is_acme\n"
        ),
        "apache": (
            "# in every virtual host on port 80\n"
            f'Alias {PLACE} "{folder}{PLACE}"\n'
            f'<Directory "{folder}{PLACE}">\n    Require all granted\n</Directory>\n'
        ),
    }
