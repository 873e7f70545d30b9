"""A library of somebody else's in a process of its own, with a time limit: told everything on standard input, asked for one result.

Such libraries have no time limits of their own and log to wherever they like; a child keeps all of that away. It is one file that
imports nothing of certdeck, started in an isolated interpreter; it writes its result as JSON behind a mark, to tell it from what
the library prints.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote, quote_plus

from core.ports import CancelToken, Completed, Environment

PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")


def ask_child(
    env: Environment,
    child: Path,
    mark: str,
    asked: Mapping[str, object],
    *,
    seconds: float,
    cancel: CancelToken,
    ca_bundle: str | None = None,
    also_home: tuple[str, ...] = (),
) -> tuple[Mapping[str, Any] | None, Completed]:
    """Run a child and return its result, None where it had none, beside how it ended. Raises Cancelled.

    Args:
        mark: stands before the result.
        asked: what it is told, secrets included.
        ca_bundle: for what requests verifies with.
        also_home: variables that name a folder for it to write into, beside HOME and TMPDIR.
    """
    variables = {name: value for name, value in env.variables.items() if name.lower() in PROXIES}
    if ca_bundle:
        variables["REQUESTS_CA_BUNDLE"] = ca_bundle
    with TemporaryDirectory(prefix="certdeck-child-") as home:
        done = env.runner.run(
            [sys.executable, "-I", str(child)],
            timeout=seconds,
            cancel=cancel,
            extra_env={**variables, **dict.fromkeys(("HOME", "TMPDIR", *also_home), home)},
            stdin=json.dumps(asked).encode(),
        )
    return _result(done.output, mark), done


def _result(output: str, mark: str) -> Mapping[str, Any] | None:
    """Return what the child says on its last marked line."""
    marked = [line for line in output.splitlines() if line.startswith(mark)]
    try:
        found = json.loads(marked[-1].removeprefix(mark)) if marked else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def forms(secret: str) -> tuple[str, ...]:
    """Return a secret as it may stand in an address, too."""
    return secret, quote(secret.strip(), safe=""), quote_plus(secret.strip())
