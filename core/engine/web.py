"""The TLS settings, security headers and redirect of web servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.engine.base import EngineBase, ignore

if TYPE_CHECKING:
    from core.events import Reporter
    from core.ports import CancelToken
    from core.web.shown import WebState


class Web(EngineBase):
    """Settings of a target's web server."""

    def web(self, target: str) -> WebState:
        """Return the wanted settings, the current ones, and what the server sends. Changes nothing.

        Raises NotFound; WebNotPossible (`web-not-possible`).
        """
        from core.workflows.web.apply import show_web

        return show_web(self._view(), target)

    def apply_web(self, target: str, *, report: Reporter = ignore, cancel: CancelToken | None = None) -> WebState:
        """Write the settings into the server's configuration, tested like a deployment.

        Raises NotFound; WebNotPossible, ConfigTestFailed, ReloadFailed: then everything is as before.
        """
        from core.workflows.web.apply import apply_web

        with self._writing("web apply", report, cancel) as context:
            return apply_web(context, target)

    def remove_web(
        self, target: str, *, report: Reporter = ignore, cancel: CancelToken | None = None
    ) -> tuple[str, ...]:
        """Remove the settings; return the files that changed. Raises as `apply_web`."""
        from core.workflows.web.apply import remove_web

        with self._writing("web remove", report, cancel) as context:
            return remove_web(context, target)
