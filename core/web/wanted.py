"""The wanted content of a web server's configuration, and the result. Values without behaviour."""

from __future__ import annotations

import os.path
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from core.config.model import TargetConfig


class Redirect(Struct, frozen=True, kw_only=True):
    """The redirect of plain HTTP to HTTPS, except for the HTTP-01 challenge."""

    port: int
    webroot: str | None = None
    """The folder that the challenge is served from."""
    upstream: str | None = None
    """`HOST:PORT` of certdeck's own listener, which is open during an order."""


class Wanted(Struct, frozen=True, kw_only=True):
    """The wanted settings of a web server for one certificate."""

    target: str
    certificate: str
    """Path as in the target: servers that use this file are changed."""
    headers: tuple[tuple[str, str], ...]
    redirect: Redirect | None = None
    base: str = ""
    """The folder that the server's relative paths start from; empty: relative paths are not matched."""

    spellings: frozenset[str] = frozenset()
    """Other ways in which the configuration refers to the certificate: a path with a variable, or a list that names it."""

    def is_certificate(self, path: str) -> bool:
        """Return whether a path in the configuration means the certificate."""
        return path in (self.certificate, *self.spellings) or (
            bool(self.base) and os.path.normpath(os.path.join(self.base, path)) == os.path.normpath(self.certificate)
        )


class Rendered(Struct, frozen=True, kw_only=True):
    """A configuration file with the blocks inserted."""

    text: str
    notes: tuple[str, ...] = ()
    """What limits the effect of the settings, one sentence each."""
    https_port: int = 443
    redirects: bool = False
    """The text includes the redirect."""


class Server(Struct, frozen=True, kw_only=True):
    """A kind of web server: a row of the table in `servers`."""

    name: str
    title: str
    programs: tuple[str, ...]
    """Program names that its configuration test may begin with."""
    files: Callable[[TargetConfig, Callable[[Path], str | None]], Sequence[Path]]
    """Returns its configuration files in the order in which it reads them. The second argument reads one; None: there is none."""
    render: Callable[[str, Wanted], Rendered | None]
    """Returns a file's text with the blocks inserted; None if it does not name the certificate. The input has no block of the
    target."""
    base: Callable[[TargetConfig, Callable[[Path], str | None]], Path] | None = None
    """Returns the folder that relative paths in its configuration start from; None: only absolute paths are matched."""
    spellings: Callable[[Sequence[str], Callable[[str], bool], Callable[[Path], str | None]], Iterable[str]] | None = (
        None
    )
    """Returns the words in its configuration texts that mean the certificate without being its path. The second argument tells
    whether a path is the certificate's, the third reads another file."""
    remarks: tuple[str, ...] = ()
