"""Lists and restores deleted lineages, and lineages whose settings are missing while their versions are still stored."""

from __future__ import annotations

from contextlib import suppress

from msgspec.structs import replace

from core.config.edit import write_lineage
from core.config.load import lineage_names, load_lineage
from core.config.rules import NAME
from core.errors import AlreadyThere, CertdeckError, ConfigError, NotFound, StoreCorrupt
from core.events import Changed
from core.kept import DeletedLineage, Restored
from core.lineage_status import LineageStatus
from core.store import lineages
from core.store.copies import KEPT_FOR, list_deleted
from core.workflows.context import Context, View


def deleted(view: View) -> tuple[DeletedLineage, ...]:
    """Return the lineages that can be restored: those with missing settings, then the last deleted first. Decrypts nothing."""
    present = set(lineage_names(view.paths))
    stored = set(lineages.names(view.paths))
    now = view.env.clock.now()
    copies = [
        DeletedLineage(
            name=copy.name,
            deleted=copy.at,
            kept_until=copy.counts_from(now) + KEPT_FOR,
            in_the_way=copy.name in present or copy.name in stored,
        )
        for copy in list_deleted(view.paths)
        if copy.counts_from(now) + KEPT_FOR > now
    ]
    left = sorted(name for name in stored - present if _settings_of(view, name) is not None)
    return (*(DeletedLineage(name=name, deleted=None, kept_until=None) for name in left), *copies)


def undelete(context: Context, name: str) -> Restored:
    """Restore the lineage `name` from its newest copy, or from its stored versions if only its settings are missing.

    Deploys nothing. Targets that now have another certificate or no longer exist are removed from its settings.

    Raises:
        NotFound (`not-found`): there is no copy.
        AlreadyThere (`already-there`): a lineage with this name exists.
        VaultError: the copy cannot be opened; StoreError. Nothing changed.
    """
    paths = context.paths
    if name in lineage_names(paths):
        raise AlreadyThere(
            f"The certificate {name} already exists.",
            "Restoring the deleted certificate would replace it.",
            "Delete the existing certificate first; certdeck keeps a copy of it too.",
            lineage=name,
        )
    version = _settings_of(context, name)
    if version is not None:
        settings = lineages.lineage_of(lineages.read_version(paths, name, version).spec, name)
        write_lineage(paths, settings)
    else:
        from core.store.deleted import restore

        copy = next((copy for copy in list_deleted(paths) if copy.name == name), None)
        if copy is None:
            raise NotFound(
                f"There is no deleted copy of {name!r}.",
                "A copy is kept for 30 days after deletion.",
                "List the deleted certificates with `certdeck undelete`.",
                lineage=name,
            )
        restore(paths, context.vault, copy)
    _leave_targets_of_others(context, name)
    context.narrator.tell(Changed(what=f"restored {name}"))
    live = lineages.live_version(paths, name)
    newest = max(lineages.versions(paths, name), default=None)
    status = _status(context, name)
    targets = () if status is None else status.targets
    return Restored(
        name=name,
        version=newest if live is None else live,
        live=live is not None,
        rolled_back_from=None if status is None else status.newer_version,
        shown_by=tuple(target.name for target in targets if target.state == "deployed"),
        targets=tuple(target.name for target in targets),
    )


def _status(context: Context, name: str) -> LineageStatus | None:
    """Return its state, including its services. None: its settings were already broken when it was deleted."""
    from core.workflows.status import status_of

    try:
        return status_of(context, name, probe=True)
    except CertdeckError:
        return None


def _leave_targets_of_others(context: Context, name: str) -> None:
    from core.store.index import facts_of_all

    with suppress(ConfigError):  # its settings were already broken when it was deleted
        settings = load_lineage(context.paths, name)
        taken = {target for facts in facts_of_all(context.paths)[0] if facts.name != name for target in facts.targets}
        free = tuple(target for target in settings.targets if target in context.config.targets and target not in taken)
        write_lineage(context.paths, replace(settings, targets=free))


def _settings_of(view: View, name: str) -> int | None:
    """Return the version that has the settings for a lineage without a settings file: the live one, else the newest."""
    paths = view.paths
    if not NAME.fullmatch(name) or (paths.lineages / name / lineages.DELETING).exists():
        return None
    try:
        live = lineages.live_version(paths, name)
    except CertdeckError:
        live = None
    for version in (live, *reversed(lineages.versions(paths, name))):
        if version is None:
            continue
        try:
            lineages.lineage_of(lineages.read_version(paths, name, version).spec, name)
        except (StoreCorrupt, NotFound):
            continue
        return version
    return None
