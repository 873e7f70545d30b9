"""What is to stand in a web server's configuration, and what came of it. Values without behaviour."""

from __future__ import annotations

import os.path
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from core.config.model import TargetConfig


class Redirect(Struct, frozen=True, kw_only=True):
    """Plain HTTP is answered with a redirect to HTTPS, but for the challenge of HTTP-01."""

    port: int
    webroot: str | None = None
    """The folder that the challenge is served from."""
    upstream: str | None = None
    """`HOST:PORT`: certdeck's own listener, while an order is under way."""


class Wanted(Struct, frozen=True, kw_only=True):
    """What the configuration of a web server has to say where it serves one certificate."""

    target: str
    certificate: str
    """Path, as the target has it: what is changed is what serves this file."""
    headers: tuple[tuple[str, str], ...]
    redirect: Redirect | None = None
    base: str = ""
    """The folder that the server takes a path without a leading slash relative to; empty: it takes none."""

    spellings: frozenset[str] = frozenset()
    """Other words of the configuration that stand for the certificate: with a variable, or a list that names it."""

    def is_certificate(self, path: str) -> bool:
        """Tell whether a path of the configuration is the certificate's."""
        return path in (self.certificate, *self.spellings) or (
            bool(self.base) and os.path.normpath(os.path.join(self.base, path)) == os.path.normpath(self.certificate)
        )


class Rendered(Struct, frozen=True, kw_only=True):
    """A configuration file with the blocks in it."""

    text: str
    notes: tuple[str, ...] = ()
    """What keeps the settings from having their full effect, one sentence each."""
    https_port: int = 443
    redirects: bool = False
    """It holds the redirect."""


class Server(Struct, frozen=True, kw_only=True):
    """A kind of web server: a row of the table in `servers`."""

    name: str
    title: str
    programs: tuple[str, ...]
    """What its configuration test may begin with."""
    files: Callable[[TargetConfig, Callable[[Path], str | None]], Sequence[Path]]
    """Return its configuration files, in the order in which it reads them. The second argument reads one; None: there is none."""
    render: Callable[[str, Wanted], Rendered | None]
    """Return a file's text, which holds no block of the target, with the blocks; None where it does not name the certificate."""
    base: Callable[[TargetConfig, Callable[[Path], str | None]], Path] | None = None
    """Return the folder that relative paths in its configuration start from; None: only absolute ones name the certificate."""
    spellings: Callable[[Sequence[str], Callable[[str], bool], Callable[[Path], str | None]], Iterable[str]] | None = (
        None
    )
    """Return the words in the texts of its configuration that stand for a certificate without being its path. The second
    argument tells whether a path is that certificate's, the third reads a further file."""
    remarks: tuple[str, ...] = ()
