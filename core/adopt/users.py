"""Which services read a client's files: searches their configurations for its paths. Reads only, a bounded number of files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from core.adopt.found import names_in, read

_FILES = (
    *("etc/nginx/nginx.conf", "etc/haproxy/haproxy.cfg", "etc/postfix/main.cf", "etc/dovecot/dovecot.conf"),
    *("etc/lighttpd/lighttpd.conf", "etc/exim4/exim4.conf.template", "etc/apache2/apache2.conf"),
)
_FOLDERS = (
    *("etc/nginx/sites-enabled", "etc/nginx/conf.d", "etc/nginx/snippets", "etc/apache2/sites-enabled"),
    *(
        "etc/apache2/conf-enabled",
        "etc/httpd/conf.d",
        "etc/dovecot/conf.d",
        "etc/haproxy/conf.d",
        "etc/lighttpd/conf-enabled",
    ),
)
_MOST = 500
"""Maximum number of files to read."""


class Configurations:
    """The texts of all known services' configurations below a root, read once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._texts: list[tuple[Path, bytes]] | None = None

    def naming(self, paths: Sequence[str]) -> tuple[Path, ...]:
        """Return the files that contain one of these absolute paths outside a comment."""
        if self._texts is None:
            self._texts = list(self._read())
        wanted = [path.encode("utf-8", "surrogateescape") for path in paths if path]
        return tuple(place for place, text in self._texts if any(each in text for each in wanted))

    def _read(self) -> Iterator[tuple[Path, bytes]]:
        places = [self._root / each for each in _FILES]
        places += [self._root / folder / name for folder in _FOLDERS for name in names_in(self._root / folder)]
        for place in places[:_MOST]:
            lines = (read(place) or b"").splitlines()
            yield place, b"\n".join(line for line in lines if not line.lstrip().startswith(b"#"))
