"""Knot Resolver: reloaded over its control socket, with the paths that it already uses."""

from __future__ import annotations

from core.targets.kind import Action, Exchange, KeyReader, Kind, Probing

KIND = Kind(
    name="knot-resolver",
    title="Knot Resolver",
    group="dns",
    measured="knot-resolver 5.6.0-1+deb12u1",
    package="knot-resolver",
    unit="kresd@1.service",
    key=KeyReader(at_start="knot-resolver", at_reload="knot-resolver", group="knot-resolver"),
    action=Action(
        exchange=Exchange(socket="/run/knot-resolver/control/1", say=("net.tls('{certificate}', '{key}')\n",)),
        says=("> true", "true"),
        failure_signs=("invalid argument", "error"),
        bad_pair="The command returns an error, and the old certificate stays in use.",
    ),
    probe=Probing(usual=("127.0.0.1:853",)),
    remarks=("Each instance kresd@N has its own control socket: add a target for each.",),
    proven=True,
)
