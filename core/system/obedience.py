"""Lets root run a configured command only if no other user can change the configuration or the program."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Mapping, Sequence

from core.paths import paths_for
from core.text import safe_line
from core.trusted_paths import command_files, obeyed, refuse_untrusted

_GOOD_SECONDS = 10.0
"""How long a successful check of the configuration is valid: a run over many certificates runs a command for each."""
_good_until: dict[str, float] = {}


def check_command(argv: Sequence[str], variables: Mapping[str, str]) -> None:
    """Raise UntrustedPath (`untrusted-path`) if this process is root and another user could have changed the command."""
    if os.geteuid() != 0 or not argv:
        return
    what = f"{safe_line(shlex.join(argv), 200)} was not run as root."
    paths = paths_for(variables, os.getuid())
    if time.monotonic() >= _good_until.get(str(paths.etc), 0.0):
        refuse_untrusted(obeyed(paths), what)
        _good_until[str(paths.etc)] = time.monotonic() + _GOOD_SECONDS
    refuse_untrusted(command_files(argv, variables), what)
