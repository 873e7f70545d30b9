"""What a process that died has left behind, cleared away by the next one that takes the writers' lock."""

from __future__ import annotations

from core.paths import Paths
from core.store.atomic import sweep
from core.store.lineages import DELETING


def clean_up(paths: Paths) -> int:
    """Clear temporary files out of every folder of ours and finish a delete that died; returns how many things were left.

    Wants the writers' lock. Costs one `readdir` for each folder. Raises StoreError.
    """
    # Readers write the index, and a run with nothing to do its outcome, without the lock.
    swept = sweep(paths.state, is_shared=True)
    for folder in (
        paths.etc,
        paths.certificates,
        paths.live,
        paths.lineages,
        paths.accounts,
        paths.vault,
        paths.transactions,
        paths.deleted,
        paths.orders,
        paths.requests,
        paths.dns_records,
    ):
        swept += sweep(folder)
    marked = False
    for parent in (paths.lineages, paths.orders, paths.requests):
        try:
            homes = [path for path in parent.iterdir() if not path.name.startswith(".")]
        except OSError:
            continue
        for home in homes:
            swept += sweep(home)
            marked = marked or (home / DELETING).exists()
    if marked:
        from core.store.deleted import finish_deletes

        swept += len(finish_deletes(paths))
    return swept
