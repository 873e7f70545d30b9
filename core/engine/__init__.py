"""The single entry point of both front ends.

`Engine` is thin: its parts are the files of this package, and each operation calls one workflow. Workflows are imported when
they are called, so that a status query loads neither cryptography nor an HTTP client.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.engine.accounts import Accounts
from core.engine.adopting import Adopting
from core.engine.archives import Archives
from core.engine.base import ignore
from core.engine.certificates import Certificates
from core.engine.dns import DnsProviders
from core.engine.notifications import Notifications
from core.engine.queries import Queries
from core.engine.recovery import Recovery
from core.engine.requests import Requests
from core.engine.settings import Settings
from core.engine.web import Web
from core.paths import paths_for

__all__ = ["Engine", "ignore"]


class Engine(
    Queries,
    Certificates,
    Requests,
    DnsProviders,
    Notifications,
    Settings,
    Web,
    Accounts,
    Recovery,
    Archives,
    Adopting,
):
    """All operations of certdeck, for one set of folders and one environment."""

    @classmethod
    def open(cls, variables: Mapping[str, str] | None = None) -> Engine:
        """Return the engine for the real system. `variables`: the environment; None: that of this process."""
        import os

        from core.system import environment

        env = environment(variables)
        return cls(paths_for(env.variables, os.getuid()), env)
