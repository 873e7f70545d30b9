"""Certificates that somebody else wrote to a target's paths: found in the other client's folder, and not overwritten unseen.

Another ACME client writes through links (acme.sh, lego, getssl) or in their place. Putting ours back over a newer one of its own
makes two programs undo each other for ever, and shows an older certificate to everybody.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from core.config.model import TargetConfig
from core.errors import CertdeckError, NewerElsewhere
from core.lineage_status import Outside
from core.regular import read_without_waking
from core.store.index import Facts, facts_of_all
from core.store.versions import CertificateFacts, certificate_facts, leaf_sha256
from core.workflows.context import Context, View
from core.workflows.method import SELF_SIGNED, UPLOAD

if TYPE_CHECKING:
    from core.adopt.found import FoundCertificate

_MOMENT = "%Y-%m-%d %H:%M"
STAGING_SIGNS = ("(STAGING)", "Fake LE")
"""How Let's Encrypt's staging issuers are called: clients trust none of them."""


def outside(view: View, name: str, ours: CertificateFacts, target: TargetConfig, own: Iterable[str]) -> Outside | None:
    """Return what stands at a target's path where that is somebody else's certificate; None where it is ours, or none at all.

    Args:
        ours: of the version that should stand there.
        own: fingerprints of certificates that are ours as well: one of another lineage is nobody else's.
    """
    try:
        text = read_without_waking(Path(target.certificate))
    except OSError:
        return None
    sha256 = leaf_sha256(text)
    if sha256 is None or sha256 == ours.sha256 or sha256 in set(own):
        return None
    try:
        theirs = certificate_facts(text)
    except ValueError:
        return None
    newer = is_newer(theirs, ours, view.env.clock.now()) and _belong_together(text, Path(target.key))
    return _described(view, name, target, theirs, newer)


def is_newer(theirs: CertificateFacts, ours: CertificateFacts, now: datetime) -> bool:
    """Tell whether `theirs` would be a loss: issued later, valid now, trusted like ours, and good for every name of ours. Pure."""
    from core.upload.names import covers

    return (
        theirs.not_before > ours.not_before
        and theirs.not_before <= now < theirs.not_after
        and not theirs.self_signed
        and not any(sign in theirs.issuer for sign in STAGING_SIGNS)
        and all(
            each in theirs.names or (not each.startswith("*.") and covers(theirs.names, each)) for each in ours.names
        )
    )


def refuse_older(context: Context, name: str, ours: CertificateFacts, targets: Sequence[TargetConfig]) -> None:
    """Raise NewerElsewhere (`newer-elsewhere`) where `ours` would replace a newer valid certificate of somebody else."""
    own = own_fingerprints(facts_of_all(context.paths)[0])
    for target in targets:
        found = outside(context, name, ours, target, own)
        if found is not None and found.newer:
            raise NewerElsewhere(
                f"{name} was not deployed: target {target.name} has a newer certificate of {found.client or 'somebody else'}.",
                f"{found.path} holds a certificate from {found.not_before:{_MOMENT}}, valid until {found.not_after:{_MOMENT}}; "
                f"the one to deploy is from {ours.not_before:{_MOMENT}} (times in UTC).",
                f"Take it in: {found.command}{_stop(found)} To put the older one there all the same, add --force.",
                lineage=name,
                details={"target": target.name, "serial": found.serial, "path": found.path, "client": found.client},
            )


def own_fingerprints(every: Iterable[Facts]) -> frozenset[str]:
    """Return the fingerprints of all live certificates."""
    return frozenset(facts.sha256 for facts in every if facts.sha256)


def in_words(found: Outside) -> str:
    """Return what a status says of it, and what to do, in plain sentences."""
    whose = found.client or "somebody else"
    if not found.newer:
        return f"{found.path} holds a certificate of {whose}, which is older or for other names: deploy again."
    return (
        f"{found.path} holds a newer certificate of {whose}, valid until {found.not_after:%Y-%m-%d}. "
        f"Take it in: {found.command}{_stop(found)}"
    )


def _stop(found: Outside) -> str:
    if not found.timer:
        return "."
    return f". As long as {found.client} has a timer, each replaces the other's certificate. Switch it off: {found.timer_off}."


def _described(view: View, name: str, target: TargetConfig, theirs: CertificateFacts, newer: bool) -> Outside:
    from core.adopt.search import holders_of, timer

    root = view.env.places.root
    holders = [each for each in holders_of(root, theirs.sha256) if each.key is not None and not each.revoked]
    trusted = next((each for each in holders if _is_trusted(each)), None)
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
        newer=newer,
        command=shlex.join(words),
        timer="" if runs is None else f"{runs.file}: {runs.line}",
        timer_off="" if runs is None else runs.off,
    )


def _is_trusted(found: FoundCertificate) -> bool:
    """Tell whether nobody else can exchange a client's files.

    A certificate is public, so any account can put one into a client's folder of its own; a command that root is told to run must
    not name such a folder.
    """
    from core.trusted_paths import weaknesses

    return found.key is not None and not weaknesses((found.certificate, found.key))


def _option(view: View, name: str) -> tuple[str, ...]:
    """Return what an import needs so that certdeck goes on renewing what it renews."""
    from core.config.load import load_lineage

    try:
        issuer = load_lineage(view.paths, name).issuer or view.config.defaults.issuer
    except CertdeckError:
        return ()
    return () if issuer in (UPLOAD, SELF_SIGNED) else ("--keep-issuer",)


def _belong_together(fullchain: bytes, key: Path) -> bool:
    """Tell whether the key at a path is the certificate's; a pair that does not belong together is no loss."""
    try:
        return _same_public_key(fullchain, read_without_waking(key))
    except (OSError, ValueError, TypeError):
        return False


def _same_public_key(fullchain: bytes, key: bytes) -> bool:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
    from cryptography.x509 import load_pem_x509_certificate

    spki = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    theirs = load_pem_private_key(key, None, unsafe_skip_rsa_key_validation=True).public_key()
    return load_pem_x509_certificate(fullchain).public_key().public_bytes(*spki) == theirs.public_bytes(*spki)
