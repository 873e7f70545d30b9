"""strongSwan: swanctl loads every certificate in `x509` and every key in its key folders; charon matches them."""

from __future__ import annotations

from pathlib import Path

from core.detect.reading import MOST_FITTING, Look, Pair, Reading
from core.regular import read_without_waking

_KEYS = ("private", "rsa", "ecdsa", "pkcs8")


def read(look: Look) -> Reading:
    """Return each certificate whose key is also there. The others belong to peers. Raises OSError."""
    from core.x509.pair import pair_problem

    if look.usual is None:
        return Reading()
    folder = look.usual
    look.touched.add(folder)
    keys = {path: _content(path) for name in _KEYS for path in _files(folder / name)}
    pairs = []
    for path in _files(folder / "x509"):
        certificate = _content(path)
        key = next((each for each, content in keys.items() if not pair_problem(certificate, content)), None)
        if key is not None:
            pairs.append(Pair(certificate=str(path), key=str(key), chain=str(folder / "x509ca" / path.name)))
    return Reading(pairs=tuple(pairs))


def _files(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.is_file())[:MOST_FITTING] if folder.is_dir() else []


def _content(path: Path) -> bytes:
    try:
        return read_without_waking(path)
    except OSError:
        return b""
