"""Imports a provided certificate: checks it, and deploys it like any other (ST-32 to ST-41).

If it passes the checks (`examine`), it is stored as a version with the issuer `upload` and deployed in a transaction: after a
failed test, reload or probe, the old certificate is restored. The previously live version remains for a rollback.
"""

from __future__ import annotations

from msgspec.structs import asdict
from msgspec.structs import replace as changed

from core.config.model import LineageConfig
from core.errors import CertdeckError, StoreCorrupt, UsageError
from core.events import Changed, Warned
from core.identifiers import check_lineage_name
from core.store import lineages
from core.store.orders import delete_order, list_orders, load_order
from core.upload.bundle import CertificateBundle
from core.upload.names import missing
from core.upload.rejected import InputRejected
from core.upload.values import CheckResult, Imported, ImportRequest, UploadCheck
from core.workflows.context import Context
from core.workflows.deploying.afterwards import afterwards, status_after
from core.workflows.issuing.method import UPLOAD, is_acme
from core.workflows.new_version import NewVersion, store
from core.workflows.uploading.csr import forget_answered, keep_answer
from core.workflows.uploading.examine import Purpose, examine, existing_settings
from core.x509 import certificate as x509


def import_upload(context: Context, request: ImportRequest) -> Imported:
    """Check an upload, make it the live version of the lineage, and deploy it to its targets.

    Raises:
        UsageError, NotFound: an invalid name, an unknown target, or `replace` is needed. Nothing was examined.
        InputRejected (`input-rejected`): a check failed; `outcome` has the results. Nothing was changed.
        TargetError: everything was restored. The version waits, and another import of the same upload uses it.
    """
    # Imported here because checks, which run often while the user types, need neither module.
    from core.workflows.deploying.transaction import deploy_version
    from core.workflows.renewing.outcome import target_configs

    name, upload = request.name, request.upload
    check_lineage_name(name)
    context = context.about(name)
    spec = existing_settings(context, name)
    has_order = _has_open_order(context, name)
    if not request.replace:
        if has_order:
            _refuse_over_order(context, name)
        if spec is not None and not request.keep_issuer:
            _refuse_silent_change(context, spec)
    chosen = () if spec is None else spec.targets
    wanted = tuple(dict.fromkeys(request.targets)) if request.targets is not None else chosen
    configs = target_configs(context, wanted)
    purpose = Purpose(
        name=name,
        spec=spec,
        targets=wanted,
        host=request.host,
        force=request.force,
        fetch_chain=request.fetch_chain,
        needs_key=True,
    )
    examined = examine(context, upload, purpose)
    if not examined.check.accepted:
        raise _rejected(examined.check, name)
    material = examined.material
    assert material is not None
    assert material.key is not None
    for result in examined.check.checks:
        if result.forced:
            context.narrator.tell(Warned(code=f"forced-{result.id}", what=result.detail, fix=result.fix))
    settings = _settings(name, spec, material, wanted)
    if request.keep_issuer and spec is not None:
        _refuse_other_names(spec, material)
        settings = changed(spec, targets=wanted)
    live = lineages.live_version(context.paths, name)
    version = _same_version(context, name, material)
    if version is None:
        version = _store(context, settings, material)
    keep_answer(context, material.key.spki, name, version)
    seen = deploy_version(context, name, version, configs, spec=settings)
    with afterwards(context, "order-not-removed"):
        delete_order(context.paths, name)
        if has_order:
            context.narrator.tell(Changed(what=f"cancelled the open order of {name}: the import replaced it"))
    with afterwards(context, "request-not-removed"):
        forget_answered(context, material.key.spki)
    if version != live:
        context.narrator.tell(Changed(what=f"imported a certificate of {material.leaf.issuer} for {name}"))
    return Imported(check=examined.check, status=status_after(context, settings, seen), unchanged=version == live)


def _rejected(check: UploadCheck, name: str) -> InputRejected:
    failures = check.failures
    fix = " ".join(dict.fromkeys(each.fix for each in failures if each.fix)) or "Give another certificate."
    if check.can_be_forced:
        fix += " To apply it anyway, add --force."
    error = InputRejected(
        "The certificate was rejected. The live certificate is unchanged.",
        " ".join(each.detail for each in failures),
        fix,
        lineage=name,
        details={"checks": [_plain(each) for each in check.checks]},
    )
    error.outcome = check
    return error


def _plain(result: CheckResult) -> dict[str, object]:
    return asdict(result)


# -- applying --------------------------------------------------------------------------------------------------------------


def _has_open_order(context: Context, name: str) -> bool:
    return name in list_orders(context.paths)


def _refuse_over_order(context: Context, name: str) -> None:
    """Raise UsageError for an open order: the user may have set DNS records for it."""
    try:
        order = load_order(context.paths, name)
    except StoreCorrupt:
        order = None
    at = "" if order is None else f" at {order.issuer} for {', '.join(order.identifiers[:4])}"
    raise UsageError(
        f"{name} has an open order{at}.",
        "The imported certificate would replace it: the order would be cancelled, and its DNS records would no longer be valid.",
        f"To continue the order: certdeck complete {name}. To cancel it, add --replace. Or give the certificate another name.",
        lineage=name,
        details={"needs": "replace", "open_order": True},
    )


def _refuse_silent_change(context: Context, spec: LineageConfig) -> None:
    issuer = spec.issuer or context.config.defaults.issuer
    if not is_acme(context.config, issuer):
        return
    raise UsageError(
        f"{spec.name} is currently renewed by {issuer}.",
        "An uploaded certificate does not renew automatically.",
        "To replace it anyway, add --replace. Or give the new certificate another name.",
        lineage=spec.name,
        details={"needs": "replace", "issuer": issuer},
    )


def _refuse_other_names(spec: LineageConfig, material: CertificateBundle) -> None:
    """Raise UsageError if the certificate lacks names of the settings, which the next renewal will order."""
    lacking = missing(material.leaf, spec.domains)
    if lacking:
        raise UsageError(
            f"The certificate does not fit {spec.name}: it lacks {', '.join(lacking)}.",
            f"With --keep-issuer, it must cover the names that {spec.name} is renewed for.",
            "Give another certificate, or omit --keep-issuer and add --replace: it then no longer renews.",
            lineage=spec.name,
        )


def _settings(
    name: str, spec: LineageConfig | None, material: CertificateBundle, targets: tuple[str, ...]
) -> LineageConfig:
    """Return the settings of the lineage, without those for orders from a CA."""
    return changed(
        spec or LineageConfig(name=name),
        domains=tuple(each for each in material.leaf.names if each),
        issuer=UPLOAD,
        challenge=None,
        dns=None,
        key_type=None,
        profile=None,
        preferred_chain=None,
        fallback_issuers=None,
        renew_days_before=None,
        targets=targets,
    )


def _same_version(context: Context, name: str, material: CertificateBundle) -> int | None:
    """Return the stored version, live or waiting, with the same certificate and key. None: there is none."""
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


def _store(context: Context, settings: LineageConfig, material: CertificateBundle) -> int:
    assert material.key is not None
    return store(
        context, settings, NewVersion(fullchain=_fullchain(material), key=material.key.to_pem(), method=UPLOAD)
    )


def _fullchain(material: CertificateBundle) -> bytes:
    return b"".join(x509.to_pem(each) for each in (material.leaf, *material.way.sent))
