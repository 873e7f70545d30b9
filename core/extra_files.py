"""Additional files of a target: `FORMAT:/path`, for other programs that need the same certificate in another format."""

from __future__ import annotations

from typing import NamedTuple

FORMATS = ("fullchain", "certificate", "chain", "key", "combined", "key-first", "der", "pfx")
"""PEM, except `der` (only the certificate) and `pfx` (PKCS#12); `combined` and `key-first`: chain and key in one file."""


class ExtraFile(NamedTuple):
    format: str
    path: str


def parse(text: str) -> ExtraFile | None:
    """Return the parts of `FORMAT:/path`; None for anything else."""
    format, colon, path = text.partition(":")
    return (
        ExtraFile(format, path) if colon and format in FORMATS and path.startswith("/") and "\0" not in path else None
    )


def broken(text: str) -> tuple[str, str] | None:
    """Return (what is wrong with the text of an additional file, how to write it), or None."""
    if parse(text) is not None:
        return None
    return (
        f"{text[:80]!r} is not FORMAT:/PATH",
        f'Write, for example, "fullchain:/etc/ssl/domain.cer". Formats: {", ".join(FORMATS)}.',
    )


def usual_files(folder: str, primary: str | None) -> tuple[str, ...]:
    """Return the additional files that programs expect in a folder next to `domain.crt` and `domain.key`.

    Args:
        primary: the first name of the certificate; files are also named after it, `*` as `_wildcard`. None: without these.
    """
    base = folder.rstrip("/")
    found = [
        f"fullchain:{base}/domain.cer",
        f"fullchain:{base}/fullchain.pem",
        f"chain:{base}/chain.pem",
        f"combined:{base}/domain.pem",
    ]
    if primary is not None:
        name = primary.replace("*", "_wildcard", 1)
        found += [f"fullchain:{base}/{name}.cer", f"key:{base}/{name}.key"]
    return tuple(found)
