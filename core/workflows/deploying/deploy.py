"""Deploy what is there already: the newest version once more, or the one before it; and let go of a target."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from core.config.model import LineageConfig, TargetConfig
from core.dates import day_shown
from core.errors import CertdeckError, NotFound
from core.events import KeyUsed, Warned
from core.operations import Deployment
from core.store import lineages
from core.store.atomic import store_error
from core.store.had_with import completed, settings_of
from core.targets.pair import release
from core.targets.resolved import resolved
from core.workflows.context import Context
from core.workflows.deploying.transaction import deploy_version
from core.workflows.deploying.window import is_open


def deploy(
    context: Context,
    name: str,
    targets: Sequence[str] | None = None,
    *,
    version: int | None = None,
    force: bool = False,
) -> Deployment:
    """Deploy the waiting version where there is one, else the live one again.

    Args:
        targets: onto these from now on; None: those that the lineage has.
        version: this one, whichever is live; for one that was rolled back from.
        force: also over a newer certificate that somebody else put there.

    Raises:
        NotFound (`not-found`): no such lineage, target or version, or no certificate yet.
        VaultError: the key of `version` cannot be opened.
        NewerElsewhere (`newer-elsewhere`): a target has a newer certificate of somebody else; nothing was touched.
        TargetError: everything was put back.
    """
    spec = settings_of(context.paths, name)
    waiting = lineages.waiting_version(context.paths, name)
    live = lineages.live_version(context.paths, name)
    if version is not None and version not in (waiting, live):
        _check_kept(context, name, version)
        if targets is not None:
            spec = replace(spec, targets=tuple(dict.fromkeys(targets)))
        return _deploy_kept(context, version, spec, "deploy it again", force=force)
    if version is not None and version == live:
        waiting = None
    version = live if waiting is None else waiting
    if version is None:
        raise NotFound(
            f"{name} has no certificate yet.",
            "There is nothing to deploy.",
            f"Issue it: certdeck --renew {name}",
            lineage=name,
        )
    if waiting is not None:
        spec = settings_of_waiting(context, spec, waiting)
    if targets is not None:
        spec = replace(spec, targets=tuple(dict.fromkeys(targets)))
    return _deploy(context, version, spec, force=force)


def _check_kept(context: Context, name: str, version: int) -> None:
    kept = [each for each in lineages.versions(context.paths, name) if lineages.has_key(context.paths, name, each)]
    if version not in kept:
        raise NotFound(
            f"Version {version} of {name} is not available.",
            f"Versions with keys: {', '.join(map(str, kept)) or 'none'}.",
            "Give one of these versions, or renew.",
            lineage=name,
        )


def settings_of_waiting(context: Context, current: LineageConfig, waiting: int) -> LineageConfig:
    """Return the settings that a version which waits was ordered with: its names, and the targets it was meant for.

    When it renews is not the order's business and stays as it is now.
    """
    had = lineages.read_version(context.paths, current.name, waiting)
    if not had.spec:
        return current
    ordered = completed(lineages.lineage_of(had.spec, current.name), had)
    return replace(
        ordered,
        auto_renew=current.auto_renew,
        renew_days_before=current.renew_days_before,
        fallback_certificate=current.fallback_certificate,
    )


def rollback(context: Context, name: str, *, force: bool = False) -> Deployment:
    """Deploy the version before the live one; once more goes one further back. Settings stay as they are.

    Raises:
        NotFound (`not-found`): no such lineage, or nothing older is kept.
        VaultError: the old key cannot be opened.
        NewerElsewhere (`newer-elsewhere`): unless `force`, a target has a newer certificate of somebody else.
        TargetError: everything was put back.
    """
    spec = settings_of(context.paths, name)
    paths = context.paths
    live = lineages.live_version(paths, name)
    older = [
        version
        for version in lineages.versions(paths, name)
        if live is not None and version < live and lineages.has_key(paths, name, version)
    ]
    if live is None or not older:
        raise NotFound(
            f"{name} has no earlier version to go back to.",
            "No version older than the live one is available with its key."
            if live is not None
            else "It has no live certificate yet.",
            f"Renew it instead: certdeck --renew {name} --force.",
            lineage=name,
        )
    return _deploy_kept(context, older[-1], spec, "roll back", force=force)


def _deploy_kept(context: Context, version: int, spec: LineageConfig, purpose: str, *, force: bool) -> Deployment:
    """Deploy a version whose key may be sealed; where that fails, its key is sealed again."""
    paths, name, vault = context.paths, spec.name, context.vault
    facts = lineages.read_version(paths, name, version)
    if facts.certificate.not_after <= context.env.clock.now():
        context.narrator.tell(
            Warned(
                code="rolled-back-to-expired",
                what=f"Version {version} of {name} expired on {day_shown(facts.certificate.not_after)}: clients will reject it.",
                fix=f"Renew it: certdeck --renew {name} --force.",
            )
        )
    context.narrator.tell(KeyUsed(key=f"lineage/{name}/{version}", purpose=purpose))
    has_waiting = lineages.waiting_version(paths, name) is not None
    lineages.unseal_key(paths, vault, name, version)
    try:
        return _deploy(context, version, spec, force=force)
    except BaseException:
        # Not while another version waits: sealing its key too would end its waiting. The next commit seals the rest.
        if not has_waiting:
            with suppress(CertdeckError):
                lineages.seal_old_keys(paths, vault, name)
        raise


def release_target(context: Context, target: TargetConfig) -> None:
    """Let go of a target: its service keeps what it has, as plain files that nobody renews.

    Raises StoreError; calling it again ends what it began.
    """
    try:
        release(target)
    except OSError as exc:
        raise store_error(exc, Path(exc.filename or target.certificate)) from exc


def _say_windows(context: Context, name: str, targets: Sequence[TargetConfig]) -> None:
    """Say which services have a maintenance window that is closed: somebody asks for it now, so it is done now."""
    now = context.env.clock.now().astimezone()
    for target in targets:
        if target.window and not is_open(target.window, now):
            context.narrator.tell(
                Warned(
                    code="outside-window",
                    what=f"{name} is deployed to {target.name} outside its window {target.window}.",
                    fix="Scheduled runs wait for the window; a manual deployment does not.",
                )
            )


def _deploy(context: Context, version: int, spec: LineageConfig, *, force: bool) -> Deployment:
    for target in spec.targets:
        if target not in context.config.targets:
            from core.workflows.issuing.plan import unknown_target

            raise unknown_target(context.config, target)
    chosen = [context.config.targets[target] for target in spec.targets]
    if chosen and not force:
        from core.workflows.deploying.outside import refuse_older

        ours = lineages.read_version(context.paths, spec.name, version).certificate
        refuse_older(context, spec.name, ours, [resolved(target) for target in chosen])
    _say_windows(context, spec.name, chosen)
    states = deploy_version(context, spec.name, version, chosen, spec=spec)
    return Deployment(name=spec.name, version=version, targets=states)
