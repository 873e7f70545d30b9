"""HAProxy, updated over its runtime API: no worker is replaced, and no connection is closed. The file is changed too."""

from __future__ import annotations

from msgspec.structs import replace

from core.targets.kind import Action, Exchange
from core.targets.services import haproxy

KIND = replace(
    haproxy.KIND,
    name="haproxy-runtime",
    title="HAProxy (runtime API)",
    action=Action(
        exchange=Exchange(
            socket="/run/haproxy/admin.sock",
            say=("set ssl cert {certificate} <<\n{pem}\n", "commit ssl cert {certificate}\n"),
            on_failure="abort ssl cert {certificate}\n",
        ),
        says=("transaction ", "success!"),
        bad_pair="The commit returns an error, and the old certificate stays in use.",
    ),
    detect=None,
    remarks=(
        "`certificate` must be exactly the path in HAProxy's configuration.",
        "The stats socket needs level admin. Clients that resume a session see the old certificate until the session ends.",
    ),
)
