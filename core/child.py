"""Runs a third-party library in a separate process with a time limit: the request goes to standard input, one result comes back.

Such libraries have no time limits and log to various places; a child process isolates certdeck from that. It is one file that
imports nothing of certdeck and runs in an isolated interpreter. It writes its result as JSON after a mark, which distinguishes it
from what the library prints.
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
    """Run a child and return its result (None if there is none) and how the process ended. Raises Cancelled.

    Args:
        mark: precedes the result.
        asked: the request, secrets included.
        seconds: time limit.
        ca_bundle: CA file for the `requests` library.
        also_home: variables that name a writable folder for it, in addition to HOME and TMPDIR.
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
    """Return the result on the child's last marked line; None if it is missing or invalid."""
    marked = [line for line in output.splitlines() if line.startswith(mark)]
    try:
        found = json.loads(marked[-1].removeprefix(mark)) if marked else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def forms(secret: str) -> tuple[str, ...]:
    """Return a secret in the forms in which it may appear, including in a URL."""
    return secret, quote(secret.strip(), safe=""), quote_plus(secret.strip())
