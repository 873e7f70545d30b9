"""What a workflow needs, bundled: where, with which ports, under which configuration; telling whom, until when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from core.config.model import Config
from core.paths import Paths
from core.workflows.clock_watch import ClockWatch

if TYPE_CHECKING:
    from core.events import Narrator
    from core.ports import CancelToken, Environment
    from core.store.vault import Vault


class View(Struct, frozen=True, kw_only=True):
    """Enough for looking."""

    paths: Paths
    env: Environment
    config: Config


class Context(View, frozen=True, kw_only=True):
    """Enough for working. Passed to each workflow by the engine; immutable, safe to share between threads."""

    narrator: Narrator
    cancel: CancelToken
    clock: ClockWatch = field(default_factory=ClockWatch)
    """What the CAs of this operation say about the clock of this box."""
    _opened: dict[str, Vault] = field(default_factory=dict)

    @property
    def vault(self) -> Vault:
        """The vault, one for the whole operation: under a passphrase, opening its key takes 0.14 s and 32 MiB each time."""
        from core.store.vault import Vault

        return self._opened.setdefault("vault", Vault(self.paths, self.env))

    def about(self, lineage: str) -> Context:
        """Return the same context, telling about `lineage`."""
        return replace(self, narrator=self.narrator.about(lineage))
