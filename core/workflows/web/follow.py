"""Adapts HSTS to the deployed certificate: deploying a self-signed fallback certificate to a web server removes it.

Called after the files of a target have changed and before its service reads them. The configuration follows from the target's
certificate, so nothing is recorded for a crash: the rollback calls this again.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.config.model import TargetConfig
from core.errors import CertdeckError
from core.events import Warned
from core.store import web as store
from core.web.blocks import holds, without
from core.workflows.context import Context


def follow(context: Context, targets: Sequence[TargetConfig]) -> None:
    """Write the headers that suit the current certificates of `targets`. Reports failures as warnings.

    Costs one `readdir` if no target has web settings.
    """
    names = set(store.names(context.paths))
    for target in targets:
        if target.name not in names:
            continue
        try:
            _follow_one(context, target)
        except CertdeckError as exc:
            context.narrator.tell(
                Warned(
                    code="web-not-updated",
                    what=f"The web settings of target {target.name} no longer fit its certificate: {exc.what} {exc.why}",
                    fix=f"Run: certdeck web apply {target.name}",
                )
            )


def _follow_one(context: Context, target: TargetConfig) -> None:
    from core.web.servers import server_of
    from core.workflows.web import files
    from core.workflows.web.plan import hsts_of, own_redirect, wanted_of

    applied = store.load(context.paths, target.name)
    if applied is None:
        return
    redirect = own_redirect(context) if applied.redirect else None
    wanted = wanted_of(target, hsts_of(context, target, applied), redirect)
    for name in applied.files:
        text = files.read(Path(name))
        if text is None or not holds(text, target.name):
            continue
        rendered = server_of(target).render(without(text, target.name), wanted)
        if rendered is not None and rendered.text != text:
            files.write({name: rendered.text})
