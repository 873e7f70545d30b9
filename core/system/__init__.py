"""The adapters behind the ports of `core.ports`: the only place with wall clock, sockets, processes and environment.

Every adapter imports what it needs on first use. Creating an environment costs almost nothing, so a scheduled run with nothing due
does not pay for unused adapters.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.ports import ClientIdentity, Environment, Places, RunningProgram, StreamTransport, Transport
from core.system.clock import SystemClock
from core.system.dns_exchange import TcpDnsExchange
from core.system.listener import SystemListener
from core.system.machine import ThisHost
from core.system.mailer import SmtpMailer
from core.system.prober import TlsProber
from core.system.processes import SystemRunner
from core.system.randomness import SystemRandom
from core.system.resolver import SystemResolver
from core.system.system_log import LocalLog
from core.system.talker import SocketTalker
from core.system.web_reader import SystemWebReader


def environment(variables: Mapping[str, str] | None = None) -> Environment:
    """Return the real environment. `variables`: environment variables; None: those of this process, read once."""
    known = dict(os.environ if variables is None else variables)

    def transport(ca_bundle: str | None) -> Transport:
        from core.system.transport import HttpsTransport

        return HttpsTransport(ca_bundle, known)

    def peers(ca_bundle: str | None, identity: ClientIdentity | None) -> StreamTransport:
        from core.system.transport import HttpsTransport

        return HttpsTransport(ca_bundle, {}, identity)

    def check_command(argv: Sequence[str]) -> None:
        from core.system.obedience import check_command

        check_command(argv, known)

    def programs() -> Sequence[RunningProgram]:
        from core.system.listening import listening_programs

        return listening_programs()

    def program() -> str | None:
        from core.system.installation import program

        return program(known)

    def reads_as(account: str, file: Path) -> bool | None:
        from core.system.reading import reads_as

        return reads_as(account, file)

    return Environment(
        clock=SystemClock(),
        random=SystemRandom(),
        transport=transport,
        peers=peers,
        runner=SystemRunner(known),
        prober=TlsProber(),
        listener=SystemListener(),
        host=ThisHost(known),
        resolver=SystemResolver(),
        dns_exchange=TcpDnsExchange(),
        web_reader=SystemWebReader(),
        mailer=SmtpMailer(),
        system_log=LocalLog(),
        talker=SocketTalker(),
        reads_as=reads_as,
        variables=known,
        places=Places(is_root=os.geteuid() == 0, program=program),
        check_command=check_command,
        programs=programs,
    )
