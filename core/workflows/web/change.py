"""Changes the configuration of a web server in a transaction: write, test, reload, verify; or restore the previous files.

Before the first file changes, `state/web-change.json` has the previous content of all files. After a kill, the next process that
takes the lock restores it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from core.config.model import TargetConfig
from core.errors import CertdeckError, ConfigTestFailed, ReloadFailed, WebNotPossible
from core.events import Recovered, Warned
from core.store import web as store
from core.targets.command_result import shown
from core.targets.resolved import resolved
from core.targets.service import check_commands, run_reload, run_test
from core.text import safe_line
from core.web.servers import server_of
from core.workflows.context import Context
from core.workflows.web import files


def change(
    context: Context,
    configured: TargetConfig,
    before: Mapping[str, str],
    after: Mapping[str, str],
    look: Callable[[], str],
) -> None:
    """Replace `before` with `after` (file -> content). `look`: called after the reload, returns a problem as one sentence, or "".

    Raises ConfigTestFailed, ReloadFailed, WebNotPossible (`web-not-possible`), StoreError: the previous files were restored.
    """
    target = resolved(configured)
    check_commands(context.env, [target])
    context.cancel.check()
    for name, text in before.items():
        if files.read(Path(name)) != text:
            raise WebNotPossible(
                f"The web settings of target {target.name} were not changed.",
                f"{safe_line(name)} was changed by another program at the same time.",
                "Run the command again.",
                details={"target": target.name},
            )
    store.begin(context.paths, store.WebChange(target=target.name, before=before, after=after))
    touched = False
    try:
        files.write(after)
        _test(context, target)
        touched = True
        _reload(context, target)
        wrong = look()
        if wrong:
            raise WebNotPossible(
                f"The web settings of target {target.name} were not changed.",
                wrong,
                f"Check the log of {server_of(target).title}.",
                details={"target": target.name},
            )
    except BaseException:
        _undo(context, target, before, after, touched=touched)
        raise
    store.end(context.paths)


def _test(context: Context, target: TargetConfig) -> None:
    verdict = run_test(context.env, target, context.cancel)
    if not verdict.ok:
        raise ConfigTestFailed(
            f"The web settings of target {target.name} were not changed: its configuration test failed.",
            verdict.why,
            " ".join(
                (f"Fix what the test reports (run it yourself: {shown(target.test)}).", *server_of(target).remarks)
            ),
            details={"target": target.name, "output": verdict.output},
        )


def _reload(context: Context, target: TargetConfig) -> None:
    verdict = run_reload(context.env, target, context.cancel)
    if not verdict.ok and not verdict.is_idle:
        raise ReloadFailed(
            f"The web settings of target {target.name} were not changed: it could not be reloaded.",
            verdict.why,
            f"Find the cause (run it yourself: {shown(target.reload)}).",
            details={"target": target.name, "output": verdict.output},
        )


def recover_web(context: Context) -> None:
    """Undo a change that was killed. Called whenever the lock is taken.

    Raises StoreError if that is impossible now: the record stays for the next run.
    """
    left = store.change(context.paths)
    if left is not None:
        for path in files.restore(left.before, left.after):
            context.narrator.tell(_changed_since(path))
        target = context.config.targets.get(left.target)
        if target is not None:
            _reload_old(context, resolved(target))
        context.narrator.tell(
            Recovered(what=f"The interrupted change of the web settings of {left.target} was undone.")
        )
    store.end(context.paths)


def _undo(
    context: Context, target: TargetConfig, before: Mapping[str, str], after: Mapping[str, str], *, touched: bool
) -> None:
    """Restore everything. If that fails, the record stays for the next run."""
    try:
        for path in files.restore(before, after):
            context.narrator.tell(_changed_since(path))
        if touched:
            _reload_old(context, target)
        store.end(context.paths)
    except CertdeckError as exc:
        context.narrator.tell(
            Warned(
                code="recovery-unfinished",
                what=f"The configuration of target {target.name} could not be restored: {exc.what} {exc.why}",
                fix="The next run of certdeck tries again.",
            )
        )


def _reload_old(context: Context, target: TargetConfig) -> None:
    """Reload the service with the restored configuration. Warns if that fails."""
    verdict = run_reload(context.env, target)
    if not verdict.ok and not verdict.is_idle:
        context.narrator.tell(
            Warned(
                code="recovery-unfinished",
                what=f"The configuration of target {target.name} was restored, but could not be reloaded: {verdict.why}",
                fix=f"Run: {shown(target.reload)}",
            )
        )


def _changed_since(path: str) -> Warned:
    return Warned(
        code="recovery-unfinished",
        what=f"{path} was changed by another program at the same time and was not restored.",
        fix="Check it: it may contain untested web settings.",
    )
