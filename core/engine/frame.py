"""The frame of every operation: the lock, the history around it, and what it is told.

An operation makes a narrator that also writes the history, takes the writers' lock, puts in order what an earlier run
left behind, and calls one workflow. Reading never takes the lock and never waits for a writer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.config.load import load_config
from core.config.model import Config
from core.paths import Paths

if TYPE_CHECKING:
    from core.events import Report, Reporter
    from core.ports import CancelToken, Environment
    from core.store.history import History
    from core.workflows.context import Context, View


def ignore(report: Report) -> None:
    """Be a reporter that nobody listens to."""


class Frame:
    """One set of folders and one environment."""

    def __init__(self, paths: Paths, env: Environment) -> None:
        self.paths = paths
        self.env = env

    def config(self) -> Config:
        """Read the configuration. Raises ConfigError (`config-invalid`) with every problem."""
        return load_config(self.paths)

    def _view(self) -> View:
        from core.workflows.context import View

        return View(paths=self.paths, env=self.env, config=self.config())

    def _reading(self, cancel: CancelToken | None = None) -> Context:
        return self._context(self.config(), ignore, cancel)

    def _context(
        self, config: Config, report: Reporter, cancel: CancelToken | None, name: str | None = None
    ) -> Context:
        from core.events import Narrator
        from core.ports import CancelToken
        from core.workflows.context import Context

        narrator = Narrator(
            report=report, now=self.env.clock.now, run=self.env.random.token_bytes(4).hex(), lineage=name
        )
        return Context(paths=self.paths, env=self.env, config=config, narrator=narrator, cancel=cancel or CancelToken())

    @contextmanager
    def _writing(
        self, operation: str, report: Reporter, cancel: CancelToken | None = None, name: str | None = None
    ) -> Iterator[Context]:
        """Hold the lock and the history around a workflow; tell how it began and ended."""
        from core.errors import Cancelled, CertdeckError
        from core.events import Failed, RecordsRequired, RunFinished, RunStarted
        from core.store.lock import writers_lock
        from core.workflows.clock import keep
        from core.workflows.recover import recover

        config = self.config()
        with writers_lock(self.paths, self.env, operation) as was_tidy, self._history() as history:
            who = self.env.host.user()

            failures: list[Failed] = []
            waits = False

            def tee(told: Report) -> None:
                nonlocal waits
                waits = waits or isinstance(told.event, RecordsRequired)
                history.record(told, who)
                if isinstance(told.event, Failed):
                    failures.append(told.event)
                report(told)

            context = self._context(config, tee, cancel, name)
            recover(context, sweep=not was_tidy)
            context.narrator.tell(RunStarted(operation=operation))
            _warn_of_permissions(context)
            try:
                try:
                    yield context
                finally:
                    keep(context, context.clock.worst)
            except CertdeckError as exc:
                outcome = "cancelled" if isinstance(exc, Cancelled) else "failed"
                about = context.narrator.about(exc.lineage) if exc.lineage else context.narrator
                about.tell(Failed(code=exc.code, what=exc.what, why=exc.why, fix=exc.fix))
                context.narrator.tell(RunFinished(operation=operation, outcome=outcome, why=exc.what))
                raise
            except BaseException:
                context.narrator.tell(RunFinished(operation=operation, outcome="failed", why="internal error"))
                raise
            # Failures of single lineages are no exceptions, but a run that had some is not done.
            outcome = "failed" if failures else "pending" if waits else "done"
            context.narrator.tell(
                RunFinished(operation=operation, outcome=outcome, why=failures[0].what if failures else "")
            )

    @contextmanager
    def _history(self) -> Iterator[History]:
        from core.store.history import History

        history = History(self.paths)
        try:
            yield history
        finally:
            history.close()


def _warn_of_permissions(context: Context) -> None:
    """Tell when another account can change the configuration, which is obeyed all the same. `doctor` lists everything."""
    from core.events import Warned
    from core.trusted_paths import weaknesses

    paths = context.paths
    for weak in weaknesses([paths.config, paths.certificates]):
        context.narrator.tell(
            Warned(
                code="writable-by-others",
                what=f"Another account can change the configuration. {weak.path}: {weak.why}.",
                fix=f"Check its content, then run: {' && '.join(weak.fix)}",
            )
        )
