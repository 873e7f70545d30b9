"""How a kind of service is detected on a box: a part of its row (`core.targets.kind`). Data only."""

from __future__ import annotations

from msgspec import Struct


class Detection(Struct, frozen=True, kw_only=True):
    """How to detect the service on a box, and where its configuration names certificate and key."""

    programs: tuple[str, ...]
    """Names of its executables, with wildcards; one with a slash is the end of a path."""
    word: str = ""
    """A word that its command line must contain, if the executable is an interpreter."""
    configuration: tuple[str, ...] = ()
    """Usual paths of its configuration, with wildcards: if one exists, the service is installed."""
    reader: str = "options"
    """Module in `core.detect.readers`. `options` reads options by their names, as described by the next fields."""
    options: tuple[str, ...] = ()
    """Command line options that name the configuration; an argument that is the absolute path of a file also counts."""
    variable: str = ""
    """Environment variable of the process that names the configuration."""
    tool: tuple[str, ...] = ()
    """Command that prints the configuration, with `{configuration}`; if empty, the file and its includes are read."""
    certificate: tuple[str, ...] = ()
    """Options that name a certificate."""
    key: tuple[str, ...] = ()
    """Options that name the key; if none is set, the key is in the certificate's file."""
    contains: str = ""
    """Text that the configuration must contain to be of this kind."""
    dialects: tuple[str, ...] = ("",)
    """What its ports may speak, most likely first: a STARTTLS dialect, or "" for TLS from the first byte. Empty: not probed."""
