"""What every workflow needs, bundled: where, with which ports, under which configuration, telling whom, until when."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.config.model import Config
from core.events import Narrator
from core.paths import Paths
from core.ports import CancelToken, Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Passed to each workflow by the engine; immutable, safe to share between threads."""

    paths: Paths
    env: Environment
    config: Config
    narrator: Narrator
    cancel: CancelToken

    def about(self, lineage: str) -> Context:
        """Return the same context, telling about `lineage`."""
        return replace(self, narrator=self.narrator.about(lineage))
