"""Finds files that root relies on and another account can change, and secrets that another account can read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.errors import CertdeckError
from core.operations import Finding
from core.permissions import Weakness
from core.store.master_key import CREDENTIAL, OLD_CREDENTIAL, PASSPHRASE_VARIABLE, successor
from core.text import plural
from core.trusted_paths import command_files, is_readable_by_others, obeyed, weaknesses
from core.workflows.context import View

_TITLE = "Permissions"
_MOST = 20
"""Most findings to show: a world-writable folder gives one for each file in it."""


def permissions(view: View) -> Iterator[Finding]:
    """Yield problems with the permissions of settings, programs, trust anchors and secrets. Without any, yield one `pass`."""
    found = [*_changeable(view), *_readable(view)]
    yield from found[:_MOST]
    if len(found) > _MOST:
        yield Finding(
            id="permissions",
            status="warn",
            title=_TITLE,
            detail=f"{plural(len(found) - _MOST, 'more file')} with such permissions",
            fix="Correct the ones above and run `certdeck doctor` again.",
        )
    if not found:
        yield Finding(
            id="permissions",
            status="pass",
            title=_TITLE,
            detail="no other user can change certdeck's commands and configuration, or read its secrets",
        )


def _changeable(view: View) -> Iterator[Finding]:
    seen: set[str] = set()
    commands = weaknesses([*obeyed(view.paths), *_programs(view)])
    # Only for root is this a failure: other users run commands with their own rights anyway.
    status = "fail" if os.geteuid() == 0 else "warn"
    for weak in commands:
        seen.add(weak.path)
        yield _finding(weak, status, "therefore certdeck runs no command as root" if status == "fail" else "")
    for weak in weaknesses([*_bundles(view), *_secrets(view)]):
        if weak.path not in seen:
            yield _finding(weak, "warn", "")


def _readable(view: View) -> Iterator[Finding]:
    keys = [view.paths.live / name / "privkey.pem" for name in _names(view.paths.live)]
    for path in dict.fromkeys([*_secrets(view), *keys]):
        if is_readable_by_others(path):
            yield Finding(
                id="permissions",
                status="warn",
                title=_TITLE,
                detail=f"{path}: another user can read this secret",
                fix=f"chmod 600 {path} && chown {os.geteuid()} {path}",
            )


def _finding(weak: Weakness, status: str, consequence: str) -> Finding:
    detail = f"{weak.path}: {weak.why}" + (f"; {consequence}" if consequence else "")
    return Finding(id="permissions", status=status, title=_TITLE, detail=detail, fix=" && ".join(weak.fix))


def _programs(view: View) -> Iterator[Path]:
    from core.targets.resolved import resolved

    for configured in view.config.targets.values():
        try:
            target = resolved(configured)
        except CertdeckError:
            continue  # another check reports the problem
        for argv in (target.test, target.reload):
            yield from command_files(argv, view.env.variables)
    for entry in view.config.dns_providers.values():
        if entry.kind == "hook" and entry.settings.get("command"):
            yield from command_files([entry.settings["command"]], view.env.variables)


def _bundles(view: View) -> Iterable[Path]:
    named = [issuer.ca_bundle for issuer in view.config.issuers.values()]
    named += [entry.settings.get("ca_bundle") for entry in view.config.dns_providers.values()]
    return [Path(each) for each in (*named, view.env.variables.get("SSL_CERT_FILE")) if each]


def _secrets(view: View) -> Iterator[Path]:
    yield view.paths.master_key
    yield successor(view.paths.master_key)
    variables = view.env.variables
    if variables.get(PASSPHRASE_VARIABLE):
        yield Path(variables[PASSPHRASE_VARIABLE])
    if variables.get("CREDENTIALS_DIRECTORY"):
        for name in (CREDENTIAL, OLD_CREDENTIAL):
            yield Path(variables["CREDENTIALS_DIRECTORY"]) / name


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
