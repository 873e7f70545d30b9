"""Examines a provided certificate: recognizes and completes it, checks it, compares it with the live one. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from msgspec import Struct

from core.config.model import LineageConfig
from core.errors import CertdeckError, NotFound, UsageError
from core.events import KeyUsed
from core.identifiers import check_lineage_name, lineage_name_for, parse_identifier
from core.lineage_status import LineageStatus
from core.store import lineages
from core.store.had_with import settings_of
from core.upload.aia import is_web, issuer_urls
from core.upload.bundle import CertificateBundle, OwnKey, assemble
from core.upload.chain_checks import chain_state
from core.upload.checks import CheckContext, can_be_forced, is_accepted, run_checks
from core.upload.names import is_host_name
from core.upload.parse import parse_upload
from core.upload.parsed import ParsedUpload
from core.upload.values import Upload, UploadCheck
from core.version import BUILT
from core.workflows.context import Context
from core.workflows.issuing.method import SELF_SIGNED, UPLOAD
from core.workflows.unstored import Unstored, status_with
from core.workflows.uploading.csr import keys_of_requests
from core.workflows.uploading.revoked import known_as_revoked
from core.workflows.uploading.trust import stores
from core.x509.certificate import Certificate, to_pem
from core.x509.key_reader import MalformedKey, load_key
from core.x509.trust_store import TrustStore

_NAMELESS = "upload"
"""Name for a certificate without a usable DNS name."""


class Purpose(Struct, frozen=True, kw_only=True):
    """The purpose of an upload: decides what is compared, and what counts as a failure."""

    name: str | None = None
    """The lineage that would get it."""
    spec: LineageConfig | None = None
    """Settings of the lineage, if it exists."""
    targets: Sequence[str] = ()
    """Targets to which it would be deployed."""
    host: str | None = None
    """Host name that clients use for the service."""
    force: bool = False
    """Accept failures that do not prevent a service from running."""
    fetch_chain: bool = False
    """Download missing intermediates from the URLs in the certificates."""
    needs_key: bool = False
    """It will be applied, and no service runs without a key."""


class Examined(Struct, frozen=True, kw_only=True):
    """An examined upload. Its repr shows no key."""

    check: UploadCheck
    material: CertificateBundle | None


def check(
    context: Context, upload: Upload, *, host: str | None, name: str | None, force: bool, fetch_chain: bool
) -> UploadCheck:
    """Check an upload, for the lineage `name` if given. Raises UsageError for an invalid host or name."""
    if name is not None:
        check_lineage_name(name)
    spec = existing_settings(context, name)
    purpose = Purpose(
        name=name,
        spec=spec,
        targets=() if spec is None else spec.targets,
        host=host,
        force=force,
        fetch_chain=fetch_chain,
    )
    return examine(context, upload, purpose).check


def examine(context: Context, upload: Upload, purpose: Purpose) -> Examined:
    """Examine an upload completely. Raises UsageError for an invalid host; VaultError, StoreError."""
    spec = purpose.spec
    hosts = () if purpose.host is None else (parse_identifier(purpose.host).value,)
    now = context.env.clock.now()
    pieces = parse_upload(upload)
    existing = None if spec is None else spec.name
    keys = _own_keys(context, existing, pieces)
    material, not_fetched = _assembled(context, pieces, existing, keys, hosts, fetch_chain=purpose.fetch_chain)
    case = CheckContext(
        pieces=pieces,
        material=material,
        now=now,
        built=BUILT,
        hosts=hosts,
        served=_served(context, purpose.targets),
        had=_had(context, spec),
        needs_key=purpose.needs_key,
        not_fetched=tuple(not_fetched),
    )
    results = run_checks(case, force=purpose.force)
    revoked = None if material is None else known_as_revoked(context, material.leaf)
    if revoked is not None:
        results = (*results, revoked)
    return Examined(
        material=material,
        check=UploadCheck(
            accepted=is_accepted(results),
            checks=results,
            certificate=None if material is None else _as_status(context, purpose.name, material),
            current=_current(context, existing),
            passphrase=pieces.passphrase,
            found=_found(pieces, material),
            notes=() if material is None else material.notes,
            left_out=() if material is None else material.left_out,
            is_reordered=material is not None and material.way.is_reordered,
            request="" if material is None else material.request,
            chain_state="" if material is None else chain_state(material, results),
            can_be_forced=can_be_forced(results),
            can_be_fetched=not purpose.fetch_chain and material is not None and _is_to_be_had(material),
        ),
    )


def _assembled(
    context: Context,
    pieces: ParsedUpload,
    existing: str | None,
    keys: Sequence[OwnKey],
    hosts: Sequence[str],
    *,
    fetch_chain: bool,
) -> tuple[CertificateBundle | None, list[str]]:
    """Assemble the pieces. Returns the bundle, and sentences about failed downloads. None: there is no certificate."""
    known, now = stores(context, existing), max(context.env.clock.now(), BUILT)
    material = assemble(pieces, known, now, keys, hosts)
    if not fetch_chain or material is None:
        return material, []
    from core.workflows.uploading.fetch_chain import MOST_LEVELS, Fetcher

    fetcher = Fetcher(context)
    fetched = b""
    for _ in range(MOST_LEVELS):
        top = material.way.top
        if material.way.is_complete:
            break
        found = fetcher.issuers_of(top)
        if not found:
            break
        fetched += b"".join(map(to_pem, found))
        store = TrustStore("the URL in the certificate", partial(bytes, fetched), trusted=False)
        material = assemble(pieces, (*known, store), now, keys, hosts) or material
        if material.way.top.der == top.der:
            fetcher.notes.append(f"The certificate from that URL did not sign {top.subject}.")
            break
    return material, fetcher.notes


def _is_to_be_had(material: CertificateBundle) -> bool:
    """Tell whether the chain lacks a certificate that can be downloaded from a URL in the one below."""
    way = material.way
    return not way.is_complete and way.bad_signature is None and any(map(is_web, issuer_urls(way.top)))


def existing_settings(context: Context, name: str | None) -> LineageConfig | None:
    """Return the settings of a lineage. None: it does not exist."""
    if name is None:
        return None
    try:
        return settings_of(context.paths, name)
    except NotFound:
        return None


def _own_keys(context: Context, name: str | None, pieces: ParsedUpload) -> tuple[OwnKey, ...]:
    """Return keys of this box that may match the certificate, if no provided key does: keys of open signing requests, and the
    key of the lineage, for which a CA may have issued again."""
    wanted = {each.public_key_spki for each in pieces.certificates}
    if not wanted or any(key.spki in wanted for key in pieces.keys):
        return ()
    found = keys_of_requests(context, wanted)
    if found or name is None or pieces.keys:
        return found
    version = lineages.live_version(context.paths, name)
    if version is None:
        return ()
    try:
        key = load_key(lineages.read_pair(context.paths, name, version).privkey)
    except (CertdeckError, MalformedKey):
        return ()
    context.narrator.tell(KeyUsed(key=f"lineage/{name}/{version}", purpose="compare with an upload"))
    return (OwnKey(key, f"{name} as it is now"),)


def _served(context: Context, targets: Sequence[str]) -> tuple[str, ...]:
    """Return the host names that the targets are known to serve."""
    names = (context.config.targets[target].probe_name for target in targets if target in context.config.targets)
    return tuple(dict.fromkeys(name for name in names if name))


def _had(context: Context, spec: LineageConfig | None) -> tuple[str, ...]:
    """Return the names of the current certificate. Of a self-signed one, only valid host names: no CA signs the others."""
    if spec is None:
        return ()
    version = lineages.live_version(context.paths, spec.name)
    names = (
        spec.domains if version is None else lineages.read_version(context.paths, spec.name, version).certificate.names
    )
    if spec.issuer != SELF_SIGNED:
        return tuple(names)
    return tuple(name for name in names if is_host_name(name))


def _current(context: Context, name: str | None) -> LineageStatus | None:
    if name is None:
        return None
    from core.workflows.status import status_of

    found = status_of(context, name)
    return found if found.sha256 else None


def _found(pieces: ParsedUpload, material: CertificateBundle | None) -> tuple[str, ...]:
    """Return what was recognized, as short texts such as `2 keys`."""
    if material is None:
        return _counted(("key", len(pieces.keys)), ("certificate", len(pieces.certificates)))
    in_chain = len(material.way.sent)
    found = _counted(("certificate", 1), ("key", len(pieces.keys)))
    if material.whose_key:
        found = (*found, "the key on this box")
    # Count everything that was provided: a root, for example, is not part of the sent chain.
    left_out = sum(each.kind != "key" for each in material.left_out)
    more = ((in_chain, "in the chain"), (left_out, "left out"))
    return (*found, *(f"{count} {words}" for count, words in more if count))


def _counted(*things: tuple[str, int]) -> tuple[str, ...]:
    return tuple(f"{count} {word}{'s' if count != 1 else ''}" for word, count in things if count)


def _as_status(context: Context, name: str | None, material: CertificateBundle) -> LineageStatus:
    """Return the status that the lineage would have."""
    leaf = material.leaf
    new = Unstored(
        name=name or _name_for(leaf),
        domains=leaf.names,
        leaf=leaf,
        sent=material.way.sent,
        method=UPLOAD,
        renew_why="by hand",
    )
    return status_with(new, context.env.clock.now())


def _name_for(leaf: Certificate) -> str:
    try:
        return lineage_name_for(parse_identifier(leaf.names[0])) if leaf.names else _NAMELESS
    except UsageError:
        return _NAMELESS
