"""A certificate that somebody brings: checked, and applied like any other (ST-32 to ST-41).

`check` only looks. `import_upload` checks, stores a version whose issuer is `upload` and deploys it in a transaction: a failed
test, reload or look puts the old pair back, and the old version stays for a rollback. Nothing is fetched from the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from core.config.load import load_lineage
from core.config.model import LineageConfig
from core.errors import CertdeckError, InputRejected, NotFound, UsageError
from core.events import Changed, KeyUsed, VersionStored, Warned
from core.identifiers import check_lineage_name, lineage_name_for, parse_identifier
from core.lineage_status import LineageStatus
from core.severity import days_left, severity
from core.store import lineages
from core.store.orders import delete_order
from core.store.versions import VersionFacts, certificate_facts
from core.trust import stores
from core.upload.checks import Case, can_be_forced, is_accepted, run_checks
from core.upload.keys import KeyProblem, read_pem
from core.upload.material import Material, assemble
from core.upload.names import is_host_name
from core.upload.recognise import Pieces, recognise
from core.upload.values import CheckResult, Imported, Upload, UploadCheck
from core.version import BUILT
from core.workflows.context import Context
from core.workflows.method import SELF_SIGNED, UPLOAD, is_acme
from core.workflows.status import status_of
from core.x509 import certificate as x509

if TYPE_CHECKING:
    from core.x509.key import PrivateKey

_NAMELESS = "upload"
"""What a certificate is called that has no name fit for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Examined:
    """An upload that was looked at. Its repr shows no key."""

    check: UploadCheck
    material: Material | None


def check(context: Context, upload: Upload, *, host: str | None, name: str | None, force: bool) -> UploadCheck:
    """Check an upload, for `name` where one is given. Raises UsageError for a host or a name that cannot be."""
    if name is not None:
        check_lineage_name(name)
    spec = _existing(context, name)
    targets = () if spec is None else spec.targets
    return _examine(context, upload, host=host, name=name, spec=spec, targets=targets, force=force).check


def import_upload(
    context: Context,
    name: str,
    upload: Upload,
    *,
    host: str | None,
    targets: Sequence[str] | None,
    force: bool,
    replace: bool,
) -> Imported:
    """Check an upload and make it the live version of `name`, on its targets too.

    Raises:
        UsageError, NotFound: a bad name, an unknown target, or `replace` is needed; nothing was looked at.
        InputRejected (`input-rejected`): with `outcome`; nothing was changed.
        TargetError: everything was put back; the version waits, and the same upload once more uses it.
    """
    # What only looks is asked often, as somebody types, and needs neither of the two.
    from core.workflows.outcome import target_configs
    from core.workflows.transaction import deploy_version

    check_lineage_name(name)
    context = context.about(name)
    spec = _existing(context, name)
    if spec is not None and not replace:
        _refuse_silent_change(context, spec)
    wanted = tuple(dict.fromkeys(targets)) if targets is not None else () if spec is None else spec.targets
    configs = target_configs(context, wanted)
    examined = _examine(context, upload, host=host, name=name, spec=spec, targets=wanted, force=force, needs_key=True)
    if not examined.check.accepted:
        raise _rejected(examined.check, name)
    material = examined.material
    assert material is not None
    assert material.key is not None
    for result in examined.check.checks:
        if result.forced:
            context.narrator.tell(Warned(code=f"forced-{result.id}", what=result.detail, fix=result.fix))
    settings = _settings(name, spec, material, wanted)
    live = lineages.live_version(context.paths, name)
    version = _same_version(context, name, material)
    if version is None:
        version = _store(context, settings, material)
    deploy_version(context, name, version, configs, spec=settings)
    delete_order(context.paths, name)
    if version != live:
        context.narrator.tell(Changed(what=f"imported a certificate of {material.leaf.issuer} for {name}"))
    return Imported(check=examined.check, status=status_of(context, name), unchanged=version == live)


# -- looking ---------------------------------------------------------------------------------------------------------------


def _examine(
    context: Context,
    upload: Upload,
    *,
    host: str | None,
    name: str | None,
    spec: LineageConfig | None,
    targets: Sequence[str],
    force: bool,
    needs_key: bool = False,
) -> _Examined:
    hosts = () if host is None else (parse_identifier(host).value,)
    now = context.env.clock.now()
    pieces = recognise(upload)
    existing = None if spec is None else spec.name
    keys = _own_keys(context, existing, pieces)
    material = assemble(pieces, stores(context, existing), now, keys)
    case = Case(
        pieces=pieces,
        material=material,
        now=now,
        built=BUILT,
        hosts=hosts,
        served=_served(context, targets),
        had=_had(context, spec),
        needs_key=needs_key,
    )
    results = run_checks(case, force=force)
    return _Examined(
        material=material,
        check=UploadCheck(
            accepted=is_accepted(results),
            checks=results,
            certificate=None if material is None else _as_status(context, name, material),
            current=_current(context, existing),
            passphrase=pieces.passphrase,
            found=_found(pieces, material),
            notes=() if material is None else material.notes,
            can_be_forced=can_be_forced(results),
        ),
    )


def _existing(context: Context, name: str | None) -> LineageConfig | None:
    if name is None:
        return None
    try:
        return load_lineage(context.paths, name)
    except NotFound:
        return None


def _own_keys(context: Context, name: str | None, pieces: Pieces) -> tuple[PrivateKey, ...]:
    """Return the key that the lineage has, where none was given: a CA may have certified it once more."""
    if name is None or pieces.keys or not pieces.certificates:
        return ()
    version = lineages.live_version(context.paths, name)
    if version is None:
        return ()
    try:
        found = read_pem(lineages.read_pair(context.paths, name, version).privkey)
    except (CertdeckError, KeyProblem):
        return ()
    context.narrator.tell(KeyUsed(key=f"lineage/{name}/{version}", purpose="compare with an upload"))
    return (found,)


def _served(context: Context, targets: Sequence[str]) -> tuple[str, ...]:
    """Return the host names that the targets are known to be asked for."""
    names = (context.config.targets[target].probe_name for target in targets if target in context.config.targets)
    return tuple(dict.fromkeys(name for name in names if name))


def _had(context: Context, spec: LineageConfig | None) -> tuple[str, ...]:
    """Return the names that visitors may use now. Of the box's own certificate only real host names: no CA signs the rest."""
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
    found = status_of(context, name)
    return found if found.sha256 else None


def _found(pieces: Pieces, material: Material | None) -> tuple[str, ...]:
    """Return what was recognised, in words."""
    if material is None:
        return _counted(("key", len(pieces.keys)), ("certificate", len(pieces.certificates)))
    in_chain = len(material.way.sent)
    found = _counted(("certificate", 1), ("key", len(pieces.keys)))
    return (*found, f"{in_chain} in the chain") if in_chain else found


def _counted(*things: tuple[str, int]) -> tuple[str, ...]:
    return tuple(f"{count} {word}{'s' if count != 1 else ''}" for word, count in things if count)


def _as_status(context: Context, name: str | None, material: Material) -> LineageStatus:
    """Return the status that the lineage would have."""
    leaf, sent = material.leaf, material.way.sent
    begin, end, now = leaf.not_before.timestamp(), leaf.not_after.timestamp(), context.env.clock.now().timestamp()
    return LineageStatus(
        name=name or _name_for(leaf),
        domains=leaf.names,
        subject=leaf.subject,
        issuer=leaf.issuer,
        serial=leaf.serial,
        not_before=leaf.not_before,
        not_after=leaf.not_after,
        days_left=days_left(end, now),
        severity=severity(begin, end, now),
        self_signed=leaf.self_signed,
        chain=bool(sent),
        chain_length=len(sent),
        sha256=leaf.sha256,
        key_type=leaf.key_type,
        method=UPLOAD,
        ca=None,
        auto_renew=context.config.defaults.auto_renew,
        renew_at=None,
        renew_why="by hand",
        last_error=None,
    )


def _name_for(leaf: x509.Certificate) -> str:
    try:
        return lineage_name_for(parse_identifier(leaf.names[0])) if leaf.names else _NAMELESS
    except UsageError:
        return _NAMELESS


def _rejected(check: UploadCheck, name: str) -> InputRejected:
    failures = check.failures
    fix = " ".join(dict.fromkeys(each.fix for each in failures if each.fix)) or "Give another certificate."
    if check.can_be_forced:
        fix += " To apply it all the same, add --force."
    error = InputRejected(
        "The certificate was refused; what was live stays.",
        " ".join(each.detail for each in failures),
        fix,
        lineage=name,
        details={"checks": [_plain(each) for each in check.checks]},
    )
    error.outcome = check
    return error


def _plain(result: CheckResult) -> dict[str, object]:
    return {field.name: getattr(result, field.name) for field in fields(result)}


# -- applying --------------------------------------------------------------------------------------------------------------


def _refuse_silent_change(context: Context, spec: LineageConfig) -> None:
    issuer = spec.issuer or context.config.defaults.issuer
    if not is_acme(context.config, issuer):
        return
    raise UsageError(
        f"{spec.name} is renewed by {issuer} so far.",
        "With an uploaded certificate nobody renews it by itself any more.",
        "If that is what you want, add --replace; or give the new certificate another name.",
        lineage=spec.name,
        details={"needs": "replace", "issuer": issuer},
    )


def _settings(name: str, spec: LineageConfig | None, material: Material, targets: tuple[str, ...]) -> LineageConfig:
    """Return what the lineage's TOML will say: nothing of how a CA was asked before."""
    return replace(
        spec or LineageConfig(name=name),
        domains=tuple(each for each in material.leaf.names if each),
        issuer=UPLOAD,
        challenge=None,
        dns=None,
        key_type=None,
        profile=None,
        preferred_chain=None,
        renew_days_before=None,
        targets=targets,
    )


def _same_version(context: Context, name: str, material: Material) -> int | None:
    """Return the stored version, live or waiting, that already is this very pair."""
    assert material.key is not None
    paths = context.paths
    fullchain, privkey = _fullchain(material), material.key.to_pem()
    for version in (lineages.waiting_version(paths, name), lineages.live_version(paths, name)):
        if version is None:
            continue
        try:
            pair = lineages.read_pair(paths, name, version)
        except CertdeckError:
            continue
        if (pair.fullchain, pair.privkey) == (fullchain, privkey):
            return version
    return None


def _store(context: Context, settings: LineageConfig, material: Material) -> int:
    assert material.key is not None
    fullchain = _fullchain(material)
    version = lineages.store_version(
        context.paths,
        settings.name,
        privkey=material.key.to_pem(),
        cert=x509.to_pem(material.leaf),
        chain=b"".join(x509.to_pem(each) for each in material.way.sent),
        fullchain=fullchain,
        facts=VersionFacts(
            created=context.env.clock.now(),
            ca=None,
            directory=None,
            method=UPLOAD,
            certificate=certificate_facts(fullchain),
            spec=lineages.spec_of(settings),
        ),
    )
    context.narrator.tell(VersionStored(version=version))
    return version


def _fullchain(material: Material) -> bytes:
    return b"".join(x509.to_pem(each) for each in (material.leaf, *material.way.sent))
