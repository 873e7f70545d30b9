"""Deletes a lineage. A sealed copy stays for 30 days, and services keep the files that they read."""

from __future__ import annotations

from core.errors import InUse
from core.events import Changed
from core.operations import Deleted
from core.store.deleted import delete_lineage
from core.store.index import facts_of
from core.workflows.context import Context
from core.workflows.deploying.deploy import release_target
from core.workflows.renewing.outcome import target_configs


def delete(context: Context, name: str, *, force: bool) -> Deleted:
    """Delete a lineage.

    Args:
        force: also if targets use it. Their services keep the files, as plain copies that certdeck no longer renews.

    Raises:
        NotFound (`not-found`); InUse (`in-use`): a target uses it, without `force`.
        VaultError, StoreError: the copy could not be written, and nothing has changed; or a service's files could not be released.
    """
    facts = facts_of(context.paths, name)
    if facts.targets and not force:
        raise InUse(
            f"{name} is still used by {', '.join(facts.targets)}.",
            "A service whose certificate is removed cannot restart.",
            "Deploy another certificate there first, or delete with --force: the service then keeps its current files.",
            lineage=name,
        )
    targets = target_configs(context, [t for t in facts.targets if t in context.config.targets])

    def let_go() -> None:
        for target in targets:
            release_target(context, target)

    vault = context.vault
    kept_until = delete_lineage(context.paths, vault, name, context.env.clock.now(), let_go)
    context.narrator.tell(Changed(what=f"deleted {name}"))
    return Deleted(name=name, kept_until=kept_until)
