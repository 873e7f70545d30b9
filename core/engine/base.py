"""The frame of every operation: the lock, the history, and the events.

An operation creates a narrator that also writes the history, takes the writers' lock, cleans up after an interrupted earlier run,
and calls one workflow. Reading never takes the lock and never waits for a writer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from core.config.load import load_config
from core.config.model import Config
from core.paths import Paths

if TYPE_CHECKING:
    from core.errors import StoreError
    from core.events import Report, Reporter
    from core.ports import CancelToken, Environment
    from core.store.history import History
    from core.workflows.context import Context, View


def ignore(report: Report) -> None:
    """Ignore a report: the default reporter."""


@contextmanager
def _in_our_words(paths: Paths) -> Iterator[None]:
    """Turn an unforeseen OSError into a StoreError; the debug log has the traceback."""
    try:
        yield
    except OSError as exc:
        import logging

        logging.getLogger(__name__).warning("a system call failed", exc_info=exc)
        raise refused_by_system(exc, paths) from exc


def refused_by_system(exc: OSError, paths: Paths) -> StoreError:
    """Return the error for an unforeseen failure of a system call."""
    from core.store.atomic import store_error

    return store_error(exc, Path(exc.filename or paths.state), "read or written")


class EngineBase:
    """One set of folders and one environment."""

    def __init__(self, paths: Paths, env: Environment) -> None:
        self.paths = paths
        self.env = env

    def config(self) -> Config:
        """Read the configuration. Raises ConfigError (`config-invalid`) with all problems."""
        self._finish_restore()
        return load_config(self.paths)

    def _finish_restore(self) -> None:
        """Complete an interrupted restore: until then the state is incomplete, so even a query takes the lock for this.

        Raises LockHeld while the restore is running.
        """
        if os.path.lexists(self.paths.restoring):
            from core.store import switchover
            from core.store.cleanup import clean_up
            from core.store.lock import writers_lock

            with writers_lock(self.paths, self.env, "restore"):
                if switchover.is_under_way(self.paths):
                    switchover.finish(self.paths)
                    clean_up(self.paths)

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
        env = self.env
        if config.log.save_requests:
            from core.store.exchanges import recorded

            env = recorded(env, self.paths, config.log.save_requests_days)
        return Context(paths=self.paths, env=env, config=config, narrator=narrator, cancel=cancel or CancelToken())

    @contextmanager
    def _writing(
        self,
        operation: str,
        report: Reporter,
        cancel: CancelToken | None = None,
        name: str | None = None,
        *,
        config: Config | None = None,
    ) -> Iterator[Context]:
        """Hold the lock and the history around a workflow; report its start and end.

        Args:
            config: used instead of the one in the file.
        """
        from core.errors import Cancelled, CertdeckError
        from core.events import MAY_LEAVE_SOMETHING, Failed, RecordsRequired, RunFinished, RunStarted, Warned
        from core.store.lock import writers_lock
        from core.store.step_log import DEBUG, StepLog
        from core.workflows.clock import keep
        from core.workflows.deploying.recover import recover
        from core.workflows.telling.system_log import write_line

        config = self.config() if config is None else config
        with writers_lock(self.paths, self.env, operation) as held, self._history() as history:
            who = self.env.host.user()

            failures: list[Failed] = []
            waits = False

            def tee(told: Report) -> None:
                nonlocal waits
                waits = waits or isinstance(told.event, RecordsRequired)
                history.record(told, who)
                if config.log.syslog:
                    write_line(self.env.system_log, told, who)
                if config.log.level == DEBUG:
                    write_line(StepLog(self.paths.debug_log, told.at), told, who)
                if isinstance(told.event, Failed):
                    failures.append(told.event)
                if isinstance(told.event, Failed | Warned) and told.event.code in MAY_LEAVE_SOMETHING:
                    held.is_tidy = False
                report(told)

            context = self._context(config, tee, cancel, name)
            with _in_our_words(self.paths):
                recover(context, sweep=not held.was_tidy)
            context.narrator.tell(RunStarted(operation=operation))
            _warn_of_permissions(context)
            try:
                try:
                    with _in_our_words(self.paths):
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
            # Failures of single lineages are not raised, but a run with failures is not "done".
            outcome = "failed" if failures else "pending" if waits else "done"
            context.narrator.tell(
                RunFinished(operation=operation, outcome=outcome, why=failures[0].what if failures else "")
            )
            history.flush()
            history.prune(config.log, self.env.clock.now(), who)
            if history.problem:
                held.is_tidy = False
                # Only to the front end: the log is what cannot be written.
                quiet = replace(context.narrator, report=report)
                quiet.tell(Warned(code="log-not-written", what=history.problem, fix=history.fix))

    @contextmanager
    def _history(self) -> Iterator[History]:
        from core.store.history import History

        history = History(self.paths)
        try:
            yield history
        finally:
            history.close()


def _warn_of_permissions(context: Context) -> None:
    """Warn if another account can change the configuration, which is used anyway. `doctor` lists all such paths."""
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
