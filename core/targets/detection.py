"""How a kind of service is found on a box: a part of its row (`core.targets.kind`). Data only."""

from __future__ import annotations

from msgspec import Struct


class Detection(Struct, frozen=True, kw_only=True):
    """How the service is found on a box, and where its configuration names certificate and key."""

    programs: tuple[str, ...]
    """Names of its executables, with wildcards; one with a slash is the end of a path."""
    word: str = ""
    """Must be in its command line, where the executable is an interpreter."""
    configuration: tuple[str, ...] = ()
    """Usual paths of its configuration, with wildcards: where one is there, the service is installed."""
    reader: str = "options"
    """Module in `core.detect.readers`. `options` finds options by their names, as the next fields say."""
    options: tuple[str, ...] = ()
    """Options of its command line that name the configuration; an argument that is the full path of a file is taken as well."""
    variable: str = ""
    """Environment variable of the process that names the configuration."""
    tool: tuple[str, ...] = ()
    """Prints the configuration, `{configuration}`; without, the file is read with what it includes."""
    certificate: tuple[str, ...] = ()
    """Options that name a certificate."""
    key: tuple[str, ...] = ()
    """Options that name the key; not set, the key is in the file of the certificate."""
    contains: str = ""
    """Must be in the configuration for it to be of this kind."""
    dialects: tuple[str, ...] = ("",)
    """What its ports may speak, likeliest first: a STARTTLS dialect, or nothing for TLS from the first byte. Empty: not asked."""
