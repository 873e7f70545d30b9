"""How a kind of service is found on a box: a part of its row (`core.targets.kind`). Data only."""

from __future__ import annotations

from msgspec import Struct


class Detection(Struct, frozen=True, kw_only=True):
    """How the service is found on a box, and where its configuration names certificate and key."""

    programs: tuple[str, ...]
    """Names of its executables."""
    configuration: tuple[str, ...] = ()
    """Usual paths of its configuration, with wildcards: where one is there, the service is installed."""
    reader: str = "options"
    """Module in `core.detect.readers`. `options` reads files with one option in a line, as the next fields say."""
    options: tuple[str, ...] = ()
    """Options of its command line that name the configuration."""
    certificate: tuple[str, ...] = ()
    """Options of the file that name the certificate; the first that is set counts."""
    key: tuple[str, ...] = ()
    """Options that name the key; not set, the key is in the file of the certificate."""
    dialects: tuple[str, ...] = ("",)
    """What its ports may speak, likeliest first: a STARTTLS dialect, or nothing for TLS from the first byte."""
