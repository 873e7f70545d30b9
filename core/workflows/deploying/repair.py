"""Repairs `live/NAME` where something else is in the place of its link; called by whoever takes the lock, after recovering.

What stands there is moved aside, never removed, and the version that was live is made live again: the one that the services were
last given, else the oldest whose key is open (a newer open one waits for its deployment), else the newest one, whose key is
opened. Nothing is deployed by it.
"""

from __future__ import annotations

from core.errors import CertdeckError
from core.events import Recovered, Warned
from core.store import lineages, renewal_state
from core.store.live import invalid_links
from core.workflows.context import Context


def repair_live(context: Context) -> None:
    """Move aside whatever stands in the place of a link of ours, and make the link again. Raises nothing."""
    for name in invalid_links(context.paths):
        about = context.about(name)
        try:
            _repair(about, name)
        except CertdeckError as exc:
            about.narrator.tell(Warned(code="live-not-repaired", what=f"{exc.what} {exc.why}", fix=exc.fix))


def _repair(context: Context, name: str) -> None:
    paths = context.paths
    from core.store.quarantine import set_aside

    place = set_aside(paths, paths.live / name, context.env.clock.now())
    version = _was_live(context, name)
    if version is not None:
        lineages.switch(paths, name, version)
    now = (
        "No version of the certificate is stored, so it has no live version."
        if version is None
        else f"Version {version} is live again."
    )
    context.narrator.tell(Recovered(what=f"live/{name} was not certdeck's link. It was moved to {place}. {now}"))


def _was_live(context: Context, name: str) -> int | None:
    """Return the version that was live as far as can be told, its key open; None when there is none to be had."""
    paths = context.paths
    sound: dict[int, str] = {}
    for version in lineages.versions(paths, name):
        try:
            sound[version] = lineages.read_version(paths, name, version).certificate.sha256
        except CertdeckError:
            continue  # damaged: not one to make live by ourselves
    is_open = [version for version in sound if lineages.has_open_key(paths, name, version)]
    given = {outcome.get("sha256") for outcome in renewal_state.load(paths, name).targets.values()}
    for version in [*(each for each in is_open if sound[each] in given), *is_open]:
        return version
    return _opened(context, name, max(sound)) if sound else None


def _opened(context: Context, name: str, version: int) -> int | None:

    try:
        lineages.unseal_key(context.paths, context.vault, name, version)
    except CertdeckError:
        return None  # renewing brings one
    return version
