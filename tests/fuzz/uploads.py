"""The fuzzer's loop: whatever is uploaded is answered in words, within two seconds and 128 MB (`make fuzz`).

A find does not end the run. Each is written once to .fuzz/found, by the place it comes from, with its traceback beside it.
"""

from __future__ import annotations

import base64
import re
import resource
import sys
import time
import traceback
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["core"], enable_loader_override=False):
    from tests.support.uploads import judge

from tests.fuzz.seeds import PASSPHRASES, SEPARATOR
from tests.support.authority import Authority
from tests.support.clock import NOON

MOST_SECONDS = 2.0
MOST_KILOBYTES = 128 * 1024
FOUND = Path(".fuzz/found")
AUTHORITY = Authority.new(now=NOON)
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----")
_seen: set[str] = set()


def look(data: bytes) -> None:
    """Judge one input and keep it where it breaks a promise."""
    passphrase = PASSPHRASES[data[0] % len(PASSPHRASES)] if data else None
    began, had = time.process_time(), _kilobytes()
    try:
        judged = judge(
            *data[1:].split(SEPARATOR)[:4],
            passphrase=passphrase,
            roots=AUTHORITY.root_pem,
            hosts=("shop.example.com",),
            had=("a.example.com",),
        )
        assert {each.status for each in judged.results} <= {"pass", "warn", "fail", "skip"}
        assert all(each.detail for each in judged.results)
        assert not set(judged.text) & (set(map(chr, range(32))) - {"\n"})
    except BaseException as exc:  # a panic of Rust is no Exception
        if isinstance(exc, KeyboardInterrupt):
            raise
        frames = traceback.extract_tb(exc.__traceback__)
        _keep(f"{type(exc).__name__}-{frames[-1].filename.rpartition('/')[2]}-{frames[-1].lineno}", data)
    seconds = time.process_time() - began
    if seconds > MOST_SECONDS:
        _keep(f"slow-{seconds:.0f}", data)
    if _kilobytes() - had > MOST_KILOBYTES:
        _keep(f"large-{(_kilobytes() - had) // 1024 // 50 * 50}", data)


def mutate(data: bytes, most: int, seed: int) -> bytes:
    """Change the content of a PEM block half of the time: what base64 hides is never reached by changing its text."""
    blocks = list(_BLOCK.finditer(data))
    if not blocks or seed % 2:
        return bytes(atheris.Mutate(data, most))
    block = blocks[seed // 2 % len(blocks)]
    try:
        content = base64.b64decode(block[2])
    except ValueError:
        return bytes(atheris.Mutate(data, most))
    text = base64.encodebytes(atheris.Mutate(content, min(len(content) + 64, most)))
    return (data[: block.start(2)] + b"\n" + text + data[block.end(2) :])[:most]


def _kilobytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _keep(what: str, data: bytes) -> None:
    if what in _seen:
        return
    _seen.add(what)
    FOUND.mkdir(parents=True, exist_ok=True)
    (FOUND / what).write_bytes(data)
    (FOUND / f"{what}.txt").write_text(traceback.format_exc())
    sys.stderr.write(f"found: {FOUND / what}\n")


if __name__ == "__main__":
    atheris.Setup(sys.argv, look, custom_mutator=mutate)
    atheris.Fuzz()
