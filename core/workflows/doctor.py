"""What would stop an issuance, and how to fix it, before an order is spent on finding out.

Each check is a small function that yields findings; none of them changes anything but for binding the HTTP-01 port for a
moment. The network is asked only by the checks that say so, side by side, so that a dead name server costs its time-out once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from msgspec.structs import replace

from core.dns.names import DNS_CHALLENGES
from core.errors import CertdeckError, NotFound
from core.issuers import Issuer
from core.operations import Finding, IssueRequest
from core.version import BUILT
from core.workflows.context import Context
from core.workflows.doctor_permissions import permissions
from core.workflows.doctor_services import services
from core.workflows.issuing.plan import Plan, lineage_of, plan
from core.workflows.keeping.inspect_store import inspect_store

Check = Callable[[], Iterable[Finding]]


def doctor(context: Context, request: IssueRequest | None, name: str | None) -> tuple[Finding, ...]:
    """Run the checks for a request, for the lineage `name`, or, with neither, for the whole box.

    Blocks for the slowest look-up, some seconds at worst. Raises NotFound (`not-found`) for an unknown lineage.
    """
    wanted = _plan_for(context, request, name)
    if isinstance(wanted, CertdeckError):
        return (_failed("request", "Request", wanted),)
    checks: list[Check] = [lambda: _clock(context), lambda: _state(context), lambda: permissions(context)]
    if wanted is None:
        default = context.config.defaults.issuer
        checks += [
            lambda: inspect_store(context),
            lambda: (_backup(context),),
            lambda: _directory(context, default, None),
            lambda: _port(context),
            lambda: _entries(context),
            lambda: _targets(context, context.config.targets),
            lambda: services(context),
        ]
    else:
        checks += _checks_for(context, wanted)
    with ThreadPoolExecutor(max_workers=8, thread_name_prefix="doctor") as pool:
        groups = pool.map(lambda check: list(_guarded(check)), checks)
        return tuple(finding for group in groups for finding in group)


def _plan_for(context: Context, request: IssueRequest | None, name: str | None) -> Plan | CertdeckError | None:
    from core.store.had_with import settings_of

    if request is None and name is None:
        return None
    try:
        if request is not None:
            return plan(context.config, lineage_of(context.config, request, None), request)
        assert name is not None
        return plan(context.config, settings_of(context.paths, name))
    except NotFound:
        raise
    except CertdeckError as exc:
        return exc


def _checks_for(context: Context, wanted: Plan) -> list[Check]:
    checks: list[Check] = []
    if wanted.issuer.kind == "acme":
        checks.append(lambda: _directory(context, wanted.issuer.name, wanted))
        if wanted.challenge == "http-01":
            checks.append(lambda: _port(context))
            checks += [lambda n=n: _resolves(context, n, wanted.issuer) for n in wanted.names]  # type: ignore[misc]
        elif wanted.challenge in DNS_CHALLENGES:
            from core.workflows.doctor_dns import checks_for

            checks += checks_for(context, wanted)
        checks.append(lambda: _public_names(wanted))
    else:
        checks.append(
            lambda: [
                Finding(
                    id="issuer",
                    status="pass",
                    title="Issuer",
                    detail=f"{wanted.issuer.title}: no network and no proof needed",
                )
            ]
        )
    checks.append(lambda: _targets(context, wanted.lineage.targets))
    return checks


def _guarded(check: Check) -> Iterator[Finding]:
    try:
        yield from check()
    except CertdeckError as exc:
        yield _failed(exc.code, "Check", exc)


def _failed(id: str, title: str, exc: CertdeckError) -> Finding:
    return Finding(id=id, status="fail", title=title, detail=f"{exc.what} {exc.why}", fix=exc.fix)


def _clock(context: Context) -> Iterator[Finding]:
    from core.store.index import facts_of_all
    from core.workflows.clock import FIX, doubt
    from core.workflows.renewing.due import void_of

    now = context.env.clock.now()
    if now < BUILT:
        yield Finding(
            id="clock",
            status="fail",
            title="Clock",
            detail=f"shows {now:%Y-%m-%d}, which is before this program was built",
            fix="Set the date, or switch time synchronisation on.",
        )
        return
    why = doubt(context)
    if why is not None:
        yield Finding(id="clock", status="fail", title="Clock", detail=f"is in doubt: {why}", fix=FIX)
    else:
        yield Finding(id="clock", status="pass", title="Clock", detail=f"{now:%Y-%m-%d %H:%M} UTC")
    for facts in facts_of_all(context.paths)[0]:
        void = void_of(facts, now.timestamp())
        if void:
            yield Finding(
                id="stored-time",
                status="warn",
                title=facts.name,
                detail=f"what was remembered under a wrong clock is ignored: {', '.join(void)}",
                fix="The next run drops it: certdeck --renew.",
            )


def _state(context: Context) -> Iterator[Finding]:
    import shutil

    yield from _folders(context)
    state = context.paths.state
    free = shutil.disk_usage(next(folder for folder in (state, *state.parents) if folder.is_dir())).free
    if free < 16 * 1024 * 1024:
        yield Finding(
            id="disk",
            status="fail",
            title="Disk",
            detail=f"only {free // 1024} KiB free where certificates are kept",
            fix="Free some space: an order that cannot be stored is lost.",
        )
    else:
        yield Finding(id="disk", status="pass", title="Disk", detail=f"{free // (1024 * 1024)} MiB free")
    context.vault.check()
    yield Finding(id="vault", status="pass", title="Vault", detail="opens with the master key of this box")


def _backup(context: Context) -> Finding:
    from core.store import backup_record

    if backup_record.is_missing(context.paths):
        return Finding(
            id="backup",
            status="warn",
            title="Backup",
            detail="the master key was never backed up: if it is lost, so are account keys, passwords and old private keys",
            fix="Run certdeck backup --out FILE. If the whole box is backed up by other means: certdeck backup --elsewhere.",
        )
    record = backup_record.load(context.paths)
    detail = "nothing to back up yet" if record is None else f"the last one was made on {record.at:%Y-%m-%d}"
    return Finding(id="backup", status="pass", title="Backup", detail=detail)


def _folders(context: Context) -> Iterator[Finding]:
    """See that certdeck's own folders can be written: one that went read-only shows only when something is due."""
    from core.store.atomic import check_writable

    paths = context.paths
    for folder in (paths.certificates, paths.etc, paths.state, paths.live, paths.lineages, paths.lock.parent):
        try:
            check_writable(folder)
        except CertdeckError as exc:
            yield _failed("folders", "Folders", exc)
            return
    yield Finding(id="folders", status="pass", title="Folders", detail="settings, state and lock can be written")


def _directory(context: Context, name: str, wanted: Plan | None) -> Iterator[Finding]:
    """Ask the issuer, and see what is missing for an account there.

    Without a plan nobody orders yet, and who does may still agree and name an address: a warning.
    """
    from core.workflows.issuing.acquire import CLOCKS_DIFFER
    from core.workflows.issuing.plan import issuer_named
    from core.workflows.settings.issuers import ask_issuer

    if issuer_named(context.config, name).kind != "acme":
        yield Finding(id="directory", status="pass", title="Issuer", detail=f"{name}: on this box, no network needed")
        return
    try:
        said = ask_issuer(
            context, name, agree_tos=bool(wanted and wanted.agree_tos), email=wanted.email if wanted else None
        )
    except CertdeckError as exc:
        yield _failed("directory", "Issuer", exc)
        return
    yield Finding(id="directory", status="pass", title="Issuer", detail=f"{name} answers in {said.milliseconds} ms")
    for finding in said.missing:
        yield finding if wanted is not None else replace(finding, status="warn")
    skew = said.clock_skew_seconds
    if skew is not None and abs(skew) > CLOCKS_DIFFER.total_seconds():
        direction = "ahead of" if skew > 0 else "behind"
        yield Finding(
            id="clock-skew",
            status="fail",
            title="Clock",
            detail=f"is {abs(skew)} s {direction} the issuer's",
            fix="Switch time synchronisation on: with a wrong clock good certificates look invalid.",
        )


def _port(context: Context) -> Iterator[Finding]:
    from core.errors import PortUnavailable
    from core.ports import HttpReply

    http01 = context.config.http01
    if http01.mode == "webroot":
        yield from _webroot(http01.webroot)
        return
    where = f"{http01.address}:{http01.port}"
    try:
        with context.env.listener.listen(http01.address, http01.port, lambda _request: HttpReply(status=404)):
            pass
    except PortUnavailable as exc:
        yield _failed("http01-port", "HTTP-01 port", exc)
        return
    yield Finding(id="http01-port", status="pass", title="HTTP-01 port", detail=f"{where} is free")


def _webroot(webroot: str | None) -> Iterator[Finding]:
    import os

    if webroot and os.path.isdir(webroot) and os.access(webroot, os.W_OK | os.X_OK):
        yield Finding(id="webroot", status="pass", title="Webroot", detail=f"{webroot} can be written")
        return
    yield Finding(
        id="webroot",
        status="fail",
        title="Webroot",
        detail=f"{webroot or '(none)'} is not a folder that can be written",
        fix="Set webroot in [http01] to the folder that your web server shows on port 80.",
    )


def _resolves(context: Context, name: str, issuer: Issuer) -> Iterator[Finding]:
    import ipaddress

    try:
        found: Sequence[str] = (str(ipaddress.ip_address(name)),)
    except ValueError:
        found = context.env.host.resolve(name)
    if not found:
        yield Finding(
            id="dns",
            # A CA inside a network may well know names that this box does not.
            status="fail" if issuer.is_public else "warn",
            title=name,
            detail="does not resolve",
            fix=f"Add an A or AAAA record for {name} that leads to this box, and wait until it is known.",
        )
        return
    own = set(context.env.host.addresses())
    strangers = [address for address in found if address not in own]
    if not strangers:
        yield Finding(id="dns", status="pass", title=name, detail=f"leads here: {', '.join(found)}")
        return
    yield Finding(
        id="dns",
        status="warn",
        title=name,
        detail=f"leads to {', '.join(strangers)}, which is not an address of this box",
        fix="Right behind a router that forwards port 80 to this box; otherwise correct the record (AAAA is tried first).",
    )


def _entries(context: Context) -> Iterator[Finding]:
    """Look for certificates that renew through a DNS provider entry which somebody has cut out of the configuration."""
    from core.store.index import facts_of_all

    for facts in facts_of_all(context.paths)[0]:
        if facts.dns and facts.dns not in context.config.dns_providers:
            yield Finding(
                id="dns-provider",
                status="fail",
                title=facts.name,
                detail=f"renews through the DNS provider {facts.dns}, which the configuration does not have",
                fix=f"Add it again (certdeck dns add {facts.dns}), or issue the certificate with another one.",
            )


def _public_names(wanted: Plan) -> Iterator[Finding]:
    yield Finding(
        id="transparency",
        status="pass",
        title="Certificate Transparency",
        detail="public CAs write every name into Certificate Transparency logs that anybody can read",
    )


def _targets(context: Context, names: Iterable[str]) -> Iterator[Finding]:
    from core.workflows.settings.targets import test_target

    wanted = list(names)
    if not wanted:
        yield Finding(
            id="target", status="skip", title="Services", detail="none: the certificate is kept in its folder only"
        )
    for name in wanted:
        yield from test_target(context, name)
