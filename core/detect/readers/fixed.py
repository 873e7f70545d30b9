"""Services that read certificates from a fixed folder or file."""

from __future__ import annotations

from core.detect.reading import Look, Pair, Reading


def read(look: Look) -> Reading:
    """Return the certificate at the fixed path; in a folder, the last one by name, as cockpit does."""
    usual = look.usual
    if usual is None:
        return Reading()
    look.touched.add(usual)
    if usual.is_dir():
        found = sorted(each for each in usual.iterdir() if each.suffix in (".cert", ".crt"))
        if not found:
            return Reading()
        usual = found[-1]
    key = usual.with_suffix(".key")
    return Reading(pairs=(Pair(certificate=str(usual), key=str(key if key.exists() else usual)),))
