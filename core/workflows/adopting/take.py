"""Takes over certificates of other ACME clients on this machine, with their renewal settings. Changes none of their files.

What a certificate needs (issuer, account, DNS provider, target) is saved before the certificate itself, which appears in one step
at the end. After a crash in between, the next try continues with everything saved, and a second try changes nothing.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from core.adopt.found import is_ours_alone
from core.adoption import Adoptable, Adopted, Adoption, AdoptRequest, NotAdopted
from core.config.load import load_config
from core.config.model import LineageConfig
from core.errors import AlreadyThere, CertdeckError, NotFound, UsageError
from core.events import Changed, Failed
from core.key_types import KEY_TYPES
from core.renewal import renew_days_problem
from core.store import adopted_record, lineages, renewal_state
from core.text import plural, visible
from core.upload.rejected import InputRejected
from core.workflows.adopting.accounts import Accounts
from core.workflows.adopting.here import directories
from core.workflows.adopting.look import Sight, closed_to_us, root_of, sights, timers_for
from core.workflows.adopting.needs import Kept, Planned, needs_of
from core.workflows.context import Context, View
from core.workflows.issuing.method import UPLOAD, method_of
from core.workflows.new_version import NewVersion, store

DNS_01 = "dns-01"
HTTP_01 = "http-01"


def found(view: View, client: str | None, folder: Path | None) -> Adoption:
    """Return the certificates of other clients. Raises UsageError, NotFound."""
    shown = tuple(each.shown for each in sights(view, client, folder))
    return Adoption(
        found=shown,
        timers=timers_for(view, folder, shown),
        closed=closed_to_us(view, client, folder),
    )


def adopt(context: Context, wanted: AdoptRequest) -> Adoption:
    """Take over the named certificates. The failure of one does not affect the others, and is in the result.

    Raises UsageError, NotFound for an unknown client, folder or issuer. Nothing was changed in this case.
    """
    if wanted.issuer is not None:
        from core.workflows.issuing.plan import issuer_named

        issuer_named(context.config, wanted.issuer)
    seen = sights(context, wanted.client, wanted.folder)
    done: list[Adopted] = []
    failed: list[NotAdopted] = []
    planned: list[Planned] = []
    accounts = Accounts()
    for name, sight in _chosen(seen, wanted):
        context.cancel.check()
        # The previous certificate may have added an issuer or a provider that this one needs.
        if not wanted.dry_run:
            context = replace(context, config=load_config(context.paths))
        elif planned:
            context = replace(context, config=planned[-1].kept.config(context))
        try:
            if isinstance(sight, CertdeckError):
                raise sight
            done.append(_unsaid(_take(context, sight, wanted, planned, accounts), done))
        except CertdeckError as exc:
            failed.append(NotAdopted(name=visible(name, 200), code=exc.code, what=exc.what, why=exc.why, fix=exc.fix))
            if not wanted.dry_run:
                context.about(visible(name, 100)).narrator.tell(
                    Failed(code=exc.code, what=exc.what, why=exc.why, fix=exc.fix)
                )
    after = tuple(
        replace(each.shown, state="adopted")
        if not wanted.dry_run and each.shown.name in {one.name for one in done}
        else each.shown
        for each in seen
    )
    # A dry run also reports timers as they would matter afterwards.
    meant = tuple(replace(each, state="adopted") if each.name in {one.name for one in done} else each for each in after)
    return Adoption(
        found=after,
        adopted=tuple(done),
        failed=tuple(failed),
        timers=timers_for(context, wanted.folder, meant),
        left_out=tuple(
            each.shown.name
            for each in seen
            if wanted.every and each.shown.state == "new" and not is_ours_alone(each.found)
        ),
        dry_run=wanted.dry_run,
        closed=closed_to_us(context, wanted.client, wanted.folder),
    )


def _unsaid(one: Adopted, before: Sequence[Adopted]) -> Adopted:
    """Leave out steps already reported for another certificate: a shared account, issuer or DNS provider."""
    said = {line for each in before for line in each.steps}
    return replace(one, steps=tuple(line for line in one.steps if line not in said))


def _chosen(seen: Sequence[Sight], wanted: AdoptRequest) -> Iterator[tuple[str, Sight | CertdeckError]]:
    """Yield the certificate for each requested name, or an error. A name is matched with the name here, then with the client's
    name, then with the certificate's DNS names, and must match only one."""
    if wanted.every:
        able = (each for each in seen if each.shown.state in ("new", "adopted"))
        yield from ((each.shown.name, each) for each in able if is_ours_alone(each.found))
    for name in dict.fromkeys(wanted.names):
        exact = [each for each in seen if each.shown.name == name]
        fitting = exact or [each for each in seen if name in (each.shown.client_name, each.found.name)]
        fitting = fitting or [each for each in seen if name in each.shown.names]
        if len(fitting) == 1:
            yield name, fitting[0]
        elif fitting:
            names = ", ".join(each.shown.name for each in fitting)
            yield (
                name,
                UsageError(
                    f"{visible(name, 200)} is ambiguous.",
                    f"It matches {names}.",
                    "Give one of these names, or select the client with --from.",
                ),
            )
        else:
            yield (
                name,
                NotFound(
                    f"No other client has the certificate {visible(name, 200)}.",
                    "No certificate with that name was found in the searched folders.",
                    "List the certificates with `certdeck adopt`, or give another folder with --dir.",
                ),
            )


def _take(context: Context, sight: Sight, wanted: AdoptRequest, planned: list[Planned], accounts: Accounts) -> Adopted:
    shown = sight.shown
    context = context.about(shown.name)
    if shown.state == "unusable":
        raise InputRejected(f"{shown.name} cannot be taken over.", shown.problem, shown.fix, lineage=shown.name)
    if shown.state == "taken":
        raise AlreadyThere(
            f"{shown.name} was not taken over.",
            "This box already has another certificate with that name.",
            f"Import it as a version: {_import(sight)}",
            lineage=shown.name,
        )
    if shown.state == "adopted":
        version = lineages.live_version(context.paths, shown.name)
        if not wanted.dry_run:
            adopted_record.add(context.paths, shown.name, shown.client)
        return Adopted(name=shown.name, client=shown.client, version=version, unchanged=True)
    key = _opened(sight, wanted.passphrase)
    settings, notes = _settings(context, sight, wanted.issuer)
    kept = needs_of(context, sight, settings, root_of(context, wanted.folder), wanted.passphrase, accounts, planned)
    settings = replace(settings, dns=kept.dns, targets=kept.targets)
    settings, problems = _renewable(context, kept, settings)
    steps = [*_said(shown, settings), *kept.steps]
    left = [*notes, *kept.left, *problems, *shown.notes]
    if wanted.dry_run:
        planned.append(Planned(settings=settings, kept=kept))
        return Adopted(name=shown.name, client=shown.client, steps=tuple(steps), left=tuple(left))
    kept.keep(context)
    context = replace(context, config=load_config(context.paths))
    version = _store(context, sight, settings, key, kept)
    adopted_record.add(context.paths, shown.name, shown.client)
    context.narrator.tell(Changed(what=f"took over the certificate {shown.name} from {shown.client}"))
    return Adopted(name=shown.name, client=shown.client, version=version, steps=tuple(steps), left=tuple(left))


def _import(sight: Sight) -> str:
    words = ["certdeck", "import", sight.shown.name, "--cert", str(sight.shown.path), "--key", str(sight.found.key)]
    return visible(shlex.join([*words, "--keep-issuer"]), 1000)


def _settings(context: Context, sight: Sight, chosen: str | None) -> tuple[LineageConfig, list[str]]:
    """Return the renewal settings on this box, and sentences about settings that cannot be taken over. Saves nothing."""
    shown, way, left = sight.shown, sight.way, []
    issuer = shown.issuer or chosen or ""
    names = tuple(each for each in shown.names if each)
    if not issuer:
        left.append(
            "Its CA is unknown, so it is kept without renewal. To renew it, give the CA when you take it over: --issuer ISSUER."
        )
        return LineageConfig(name=shown.name, domains=names, issuer=UPLOAD), left
    has_wildcard = any(each.startswith("*.") for each in names)
    challenge = way.challenge if way.challenge in (HTTP_01, DNS_01) else ""
    if not challenge:
        challenge = DNS_01 if has_wildcard else HTTP_01
        if way.challenge:
            left.append(f"certdeck does not support its challenge {visible(way.challenge, 40)}; it uses {challenge}.")
    elif has_wildcard:
        challenge = DNS_01
    days = way.renew_days
    life = (shown.not_after - shown.not_before).total_seconds() if shown.not_after and shown.not_before else 0
    if days is not None and renew_days_problem(days, life):
        left.append(
            f"Renewing {plural(days, 'day')} before it expires does not suit its lifetime; certdeck uses its own rule."
        )
        days = None
    return (
        LineageConfig(
            name=shown.name,
            domains=names,
            issuer=issuer,
            challenge=challenge,
            key_type=shown.key_type if shown.key_type in KEY_TYPES else None,
            profile=way.profile or None,
            preferred_chain=way.preferred_chain or None,
            renew_days_before=days,
            auto_renew=way.auto_renew,
        ),
        left,
    )


def _renewable(context: Context, kept: Kept, settings: LineageConfig) -> tuple[LineageConfig, list[str]]:
    """Return the settings as an order would use them, and problems. If an order would refuse them: without an issuer."""
    from core.workflows.issuing.plan import plan

    if settings.issuer == UPLOAD:
        return settings, []
    try:
        return plan(kept.config(context), settings).lineage, []
    except UsageError as exc:
        upload = LineageConfig(name=settings.name, domains=settings.domains, issuer=UPLOAD, targets=settings.targets)
        return upload, [f"It is kept without renewal: {exc.why}"]


def _said(shown: Adoptable, settings: LineageConfig) -> Iterator[str]:
    yield f"Certificate, chain and key are stored as a version of {shown.name}."
    if shown.expired:
        yield "It has expired. Renew it now."
    if shown.revoked:
        yield "It was revoked. The next run orders a new one."
    if settings.issuer == UPLOAD:
        return
    names = ", ".join(settings.domains[:5]) + (" …" if len(settings.domains) > 5 else "")
    yield f"It will be renewed for {names} at {settings.issuer} by {settings.challenge}."


def _opened(sight: Sight, passphrase: bytes | None) -> bytes:
    """Return the private key as unencrypted PKCS#8 PEM.

    Raises InputRejected; `details["passphrase"]` is `needed` or `wrong` for an encrypted key.
    """
    from core.x509.certificate import parse_pem
    from core.x509.key import fitted
    from core.x509.key_reader import (
        KeyNeedsPassphrase,
        KeyPassphraseWrong,
        MalformedKey,
        load_key,
        read_encrypted_der,
    )

    name = sight.shown.name
    try:
        if b"BEGIN ENCRYPTED PRIVATE KEY" in sight.key:
            key = read_encrypted_der(_der(sight.key), passphrase)
        else:
            key = load_key(sight.key)
        own = fitted(parse_pem(sight.fullchain)[0], key)
    except (KeyNeedsPassphrase, KeyPassphraseWrong) as exc:
        state = "needed" if isinstance(exc, KeyNeedsPassphrase) else "wrong"
        raise InputRejected(
            f"{name} cannot be taken over.",
            str(exc),
            "Give its passphrase: --passphrase-file FILE (- is standard input)",
            lineage=name,
            details={"passphrase": state},
        ) from exc
    except MalformedKey as exc:
        raise InputRejected(
            f"{name} cannot be taken over.",
            str(exc),
            "Renew it with its client, or order a new one: certdeck issue",
            lineage=name,
        ) from exc
    if own is None:
        raise InputRejected(
            f"{name} cannot be taken over.",
            "Its private key does not match this certificate.",
            "Renew it with its client, or order a new one: certdeck issue",
            lineage=name,
        )
    return own.to_pem()


def _der(pem: bytes) -> bytes:
    from base64 import b64decode
    from binascii import Error

    from core.x509.key_reader import MalformedKey

    body = pem.partition(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")[2].partition(b"-----END")[0]
    try:
        return b64decode(b"".join(body.split()), validate=True)
    except Error as exc:
        raise MalformedKey("The private key is damaged.") from exc


def _store(context: Context, sight: Sight, settings: LineageConfig, key: bytes, kept: Kept) -> int:
    """Store the version, and make it live with its settings in one step. Deploys to no target: the services already serve it."""
    from core.workflows.deploying.transaction import deploy_version
    from core.x509.certificate import parse_pem, to_pem

    certificates = parse_pem(sight.fullchain)
    fullchain = b"".join(map(to_pem, certificates))
    is_upload = settings.issuer == UPLOAD
    version = _waiting(context, settings.name, fullchain, key)
    if version is None:
        new = NewVersion(
            fullchain=fullchain,
            key=key,
            method=method_of(context.config, settings.issuer, settings.challenge, settings.dns),
            ca=None if is_upload else settings.issuer,
            directory=None if is_upload else _directory_of(context, settings.issuer),
            profile=settings.profile or None,
        )
        version = store(context, settings, new)
    if sight.shown.revoked:
        state = renewal_state.load(context.paths, settings.name)
        renewal_state.save(context.paths, settings.name, replace(state, revoked=certificates[0].sha256))
    deploy_version(context, settings.name, version, (), spec=settings)
    return version


def _directory_of(context: Context, issuer: str | None) -> str | None:
    return next((url for url, name in directories(context.config).items() if name == issuer), None)


def _waiting(context: Context, name: str, fullchain: bytes, key: bytes) -> int | None:
    """Return the version that a killed try stored but did not make live. None: there is none."""
    version = lineages.waiting_version(context.paths, name)
    if version is None:
        return None
    pair = lineages.read_pair(context.paths, name, version)
    return version if (pair.fullchain, pair.privkey) == (fullchain, key) else None
