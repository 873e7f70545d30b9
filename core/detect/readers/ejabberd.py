"""ejabberd: `certfiles` lists files, with wildcards; each contains certificates, keys, or both, and ejabberd matches them."""

from __future__ import annotations

import re
from pathlib import Path

from core.detect.reading import Look, Pair, Reading, absolute, fitting
from core.regular import read_without_waking

_LIST = re.compile(r"^certfiles[ \t]*:[ \t]*(.*)\n((?:[ \t]*(?:[-#][^\n]*)?\n)*)", re.MULTILINE)
_ITEM = re.compile(r"""^[ \t]*-?[ \t]*["']?([^\s"'#\[\],][^"'#\n\],]*)""", re.MULTILINE)


def read(look: Look) -> Reading:
    """Return each certificate with its matching key. Raises Unreadable."""
    told = look.option(*look.how.options) if look.how.options else None
    told = told or look.variables.get(look.how.variable)
    configuration = Path(told) if told else look.configuration()
    text = look.text(configuration) + "\n"
    named = [item.strip() for value, items in _LIST.findall(text) for item in _ITEM.findall(f"{value}\n{items}")]
    whole = [absolute(name, configuration.parent) for name in named]
    # A missing file is returned as a certificate, so that it is reported.
    paths = [path for each in whole for path in fitting(each) or ([] if "*" in each else [Path(each)])]
    contents = {str(path): _content(path) for path in paths}
    certificates = [
        path for path, content in contents.items() if b"-----BEGIN CERTIFICATE-----" in content or not content
    ]
    keys = [path for path, content in contents.items() if b"PRIVATE KEY-----" in content]
    return Reading(pairs=tuple(Pair(certificate=each, key=_key_of(each, keys, contents)) for each in certificates))


def _content(path: Path) -> bytes:
    try:
        return read_without_waking(path)
    except OSError:
        return b""


def _key_of(certificate: str, keys: list[str], contents: dict[str, bytes]) -> str:
    """Return the file with the key of a certificate; the certificate file itself if none matches."""
    from core.x509.pair import pair_problem

    own_first = sorted(keys, key=lambda path: path != certificate)
    return next((key for key in own_first if not pair_problem(contents[certificate], contents[key])), certificate)
