"""Certificates that another client wrote to a target's paths: found in the other client's folder, and not overwritten unseen.

Another ACME client writes through links (acme.sh, lego, getssl) or in their place. Putting ours back over a newer one of its own
makes two programs undo each other for ever, and shows an older certificate to everybody.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence, Set
from datetime import datetime
from pathlib import Path

from core.config.model import TargetConfig
from core.dates import day_shown, minute_shown
from core.errors import CertdeckError, NewerElsewhere
from core.lineage_status import Outside
from core.regular import read_without_waking
from core.staging import is_staging_issuer
from core.store.index import Facts, facts_of_all
from core.store.versions import CertificateFacts, certificate_facts, leaf_sha256
from core.workflows.context import Context, View
from core.workflows.issuing.method import SELF_SIGNED, UPLOAD


def outside(view: View, name: str, ours: CertificateFacts, target: TargetConfig, own: Set[str]) -> Outside | None:
    """Return what stands at a target's path where that is another client's certificate; None where it is ours, or none at all.

    Args:
        ours: of the version that should stand there.
        own: fingerprints of certificates that are ours as well: one of another lineage is nobody else's.
    """
    try:
        text = read_without_waking(Path(target.certificate))
    except OSError:
        return None
    sha256 = leaf_sha256(text)
    if sha256 is None or sha256 == ours.sha256 or sha256 in own:
        return None
    try:
        theirs = certificate_facts(text)
    except ValueError:
        return None
    flaw = flaw_of(theirs, ours, view.env.clock.now()) or _pair_flaw(text, Path(target.key))
    return _described(view, name, target, theirs, flaw)


def flaw_of(theirs: CertificateFacts, ours: CertificateFacts, now: datetime) -> str:
    """Return why `theirs` cannot take the place of `ours`, for `which …`; empty where replacing it would be a loss. Pure.

    A loss is one that was issued later, is valid now, trusted like ours, and good for every name of ours.
    """
    from core.upload.names import covers

    if theirs.not_before <= ours.not_before:
        return "is not newer"
    if not theirs.not_before <= now < theirs.not_after:
        return "is not valid now"
    if theirs.self_signed:
        return "is self-signed"
    if is_staging_issuer(theirs.issuer):
        return "comes from a staging CA"
    if not all(
        each in theirs.names or (not each.startswith("*.") and covers(theirs.names, each)) for each in ours.names
    ):
        return "is not for the same names"
    return ""


def refuse_older(context: Context, name: str, ours: CertificateFacts, targets: Sequence[TargetConfig]) -> None:
    """Raise NewerElsewhere (`newer-elsewhere`) where `ours` would replace a newer valid certificate of another client."""
    own = own_fingerprints(facts_of_all(context.paths)[0])
    for target in targets:
        found = outside(context, name, ours, target, own)
        if found is not None and found.newer:
            raise NewerElsewhere(
                f"{name} was not deployed: target {target.name} has a newer certificate of {found.client or 'another client'}.",
                f"{found.path} holds a certificate from {minute_shown(found.not_before)}, valid until "
                f"{minute_shown(found.not_after)}; the certificate to deploy is from {minute_shown(ours.not_before)}.",
                f"Import it: {found.command}{_stop(found)} To deploy the older certificate anyway, add --force.",
                lineage=name,
                details={"target": target.name, "serial": found.serial, "path": found.path, "client": found.client},
            )


def own_fingerprints(every: Iterable[Facts]) -> frozenset[str]:
    """Return the fingerprints of all live certificates."""
    return frozenset(facts.sha256 for facts in every if facts.sha256)


def in_words(found: Outside) -> str:
    """Return what a status says of it, and what to do, in plain sentences."""
    whose = found.client or "another client"
    if not found.newer:
        return f"{found.path} holds a certificate of {whose}, which {found.flaw}. Deploy again."
    return (
        f"{found.path} holds a newer certificate of {whose}, valid until {day_shown(found.not_after)}. "
        f"Import it: {found.command}{_stop(found)}"
    )


def _stop(found: Outside) -> str:
    if not found.timer:
        return "."
    return f". While {found.client} has a timer, both replace each other's certificate. Turn it off: {found.timer_off}."


def _described(view: View, name: str, target: TargetConfig, theirs: CertificateFacts, flaw: str) -> Outside:
    from core.adopt.found import is_ours_alone
    from core.adopt.search import holders_of, timer

    root = view.env.places.root
    holders = [each for each in holders_of(root, theirs.sha256) if each.key is not None and not each.revoked]
    trusted = next((each for each in holders if is_ours_alone(each)), None)
    holder = trusted or next(iter(holders), None)
    runs = None if holder is None else timer(root, holder.client)
    certificate = target.certificate if trusted is None else str(trusted.certificate)
    key = target.key if trusted is None else str(trusted.key)
    words = ["certdeck", "import", name, "--cert", certificate, "--key", key, *_option(view, name)]
    return Outside(
        client="" if holder is None else holder.client,
        path=certificate,
        serial=theirs.serial,
        not_before=theirs.not_before,
        not_after=theirs.not_after,
        newer=not flaw,
        flaw=flaw,
        command=shlex.join(words),
        timer="" if runs is None else f"{runs.file}: {runs.line}",
        timer_off="" if runs is None else runs.off,
    )


def _option(view: View, name: str) -> tuple[str, ...]:
    """Return what an import needs so that certdeck goes on renewing what it renews."""
    from core.config.load import load_lineage

    try:
        issuer = load_lineage(view.paths, name).issuer or view.config.defaults.issuer
    except CertdeckError:
        return ()
    return () if issuer in (UPLOAD, SELF_SIGNED) else ("--keep-issuer",)


def _pair_flaw(fullchain: bytes, key: Path) -> str:
    """Return what is wrong with the key at a path; a pair that does not belong together is no loss."""
    from core.x509.pair import pair_problem

    try:
        return "has no matching key" if pair_problem(fullchain, read_without_waking(key)) else ""
    except OSError:
        return "has no readable key"
