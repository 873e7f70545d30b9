"""HAProxy, told over its runtime API: no worker is replaced, and no connection is closed. The file changes too."""

from __future__ import annotations

from core.targets.kind import Action, Exchange, Kind, Probing
from core.targets.services.haproxy import FILES, TEST

KIND = Kind(
    name="haproxy-runtime",
    title="HAProxy (runtime API)",
    group="proxy",
    measured="haproxy 2.6.12-1+deb12u3",
    package="haproxy",
    unit="haproxy.service",
    files=FILES,
    test=TEST,
    action=Action(
        exchange=Exchange(
            socket="/run/haproxy/admin.sock",
            say=("set ssl cert {certificate} <<\n{pem}\n", "commit ssl cert {certificate}\n"),
            on_failure="abort ssl cert {certificate}\n",
        ),
        says=("transaction ", "success!"),
        bad_pair="The commit returns an error, and the old certificate stays in use.",
    ),
    probe=Probing(usual=("127.0.0.1:443",)),
    remarks=(
        "The certificate must be the path exactly as it is in HAProxy's configuration.",
        "The stats socket needs level admin. Clients that resume a session see the old certificate until the session ends.",
    ),
    proven=True,
)
