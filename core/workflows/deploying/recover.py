"""Puts in order what a run left behind when it died: called by whoever takes the lock, before anything else.

A deployment that was not verified is rolled back, one that was is rolled forward. Recovering may itself be killed anywhere and
is then simply done again. What cannot be put in order now is said and stays on record; it stops nothing but a deployment to
the same services.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import CertdeckError
from core.events import Recovered, Warned
from core.store import journal, web
from core.store.cleanup import clean_up
from core.workflows.context import Context
from core.workflows.deploying.repair import repair_live


def recover(context: Context, *, sweep: bool = True) -> None:
    """Finish or undo every interrupted deployment, repair `live` and remove half-written files. Blocks for a reload to undo one.

    Args:
        sweep: look for half-written files too, which costs a `readdir` for each lineage; needless after a run that ended well.

    Raises StoreError only where the state cannot be read at all.
    """
    for name in journal.names(context.paths):
        about = context.about(name)
        with _told(about):
            _recover_one(about, name)
    if web.is_changing(context.paths):
        from core.workflows.web.change import recover_web

        with _told(context):
            recover_web(context)
    repair_live(context)
    if sweep:
        clean_up(context.paths)


@contextmanager
def _told(context: Context) -> Iterator[None]:
    """Tell of a failure as a warning, and go on."""
    try:
        yield
    except CertdeckError as exc:
        context.narrator.tell(Warned(code="recovery-unfinished", what=f"{exc.what} {exc.why}", fix=exc.fix))


def _recover_one(context: Context, name: str) -> None:
    from core.workflows.deploying.finish import roll_forward
    from core.workflows.deploying.inflight import COMMITTING, read
    from core.workflows.deploying.roll_back import not_confirmed_fix, roll_back

    found = read(context, name)
    if found is None:
        return
    phase, flight = found
    if phase == COMMITTING:
        if roll_forward(context, flight):
            what = f"The interrupted deployment of {name} was already verified and is now finished."
            context.narrator.tell(Recovered(what=what))
        return
    # Whether a reload had happened is not known, and one too many does no harm.
    result = roll_back(context, flight, [target.name for target in flight.targets], "An earlier run was interrupted.")
    if result.live == "old" and result.is_complete:
        context.narrator.tell(Recovered(what=f"The interrupted deployment of {name} was undone. {result.sentence}"))
        return
    fixes = " ".join(dict.fromkeys(not_confirmed_fix(target) for target in flight.targets))
    context.narrator.tell(
        Warned(
            code="recovery-unfinished",
            what=f"The interrupted deployment of {name} was not undone completely. {result.sentence}",
            fix=fixes,
        )
    )
