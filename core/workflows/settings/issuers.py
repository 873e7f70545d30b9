"""The issuers of this box: built-in ones and those of the configuration. Changes are written to `certdeck.toml`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

from core.config.model import IssuerConfig
from core.errors import InUse, StoreCorrupt, UsageError
from core.events import Changed
from core.issuers import BUILT_IN
from core.operations import IssuerInfo, IssuerTest
from core.store.accounts import load_account
from core.store.index import facts_of_all
from core.workflows.context import Context
from core.workflows.issuing.method import SELF_SIGNED, UPLOAD
from core.workflows.issuing.plan import issuer_named


def issuers(context: Context) -> tuple[IssuerInfo, ...]:
    """Return all issuers: the default first, then configured ones, then built-in ones."""
    names = dict.fromkeys((*context.config.issuers, *BUILT_IN))
    default = context.config.defaults.issuer
    every = [_info(context, name) for name in names if name != "self-signed"]
    return tuple(sorted(every, key=lambda info: (info.name != default, info.built_in, info.name)))


def info_of(context: Context, name: str) -> IssuerInfo:
    """Return one issuer. Raises NotFound (`not-found`)."""
    issuer_named(context.config, name)
    return _info(context, name)


def test_issuer(context: Context, name: str) -> IssuerTest:
    """Call `ask_issuer` without the options of an order."""
    return ask_issuer(context, name)


def ask_issuer(context: Context, name: str, *, agree_tos: bool = False, email: str | None = None) -> IssuerTest:
    """Read the directory of an issuer. Returns what it offers, and what is missing for an account there. One request.

    Args:
        agree_tos, email: options of an order, in addition to the configuration.

    Raises:
        NotFound; UsageError for an issuer without a directory; IssuerError (DirectoryUnreachable and others).
    """
    from core.acme.account_key import AccountKey
    from core.acme.session import AcmeSession
    from core.workflows.issuing.account_needs import account_needs

    issuer = issuer_named(context.config, name)
    if issuer.directory is None:
        raise UsageError(
            f"{issuer.title} has no directory.",
            "It works only on this box, without a network.",
            "There is nothing to test.",
        )
    entry = context.config.issuers.get(name)
    transport = context.env.transport(entry.ca_bundle if entry else None)
    try:
        session = AcmeSession(
            transport=transport,
            clock=context.env.clock,
            random=context.env.random,
            directory_url=issuer.directory,
            key=AccountKey.generate(),
            cancel=context.cancel,
            issuer=name,
        )
        begun = context.env.clock.monotonic()
        directory = session.directory
        took = context.env.clock.monotonic() - begun
        skew = session.clock_skew
    finally:
        transport.close()
    missing = account_needs(
        issuer,
        directory,
        entry or IssuerConfig(),
        load_account(context.paths, name, issuer.directory),
        has_binding=context.vault.path_of(f"eab/{name}").exists(),
        agree_tos=agree_tos,
        email=email,
    )
    return IssuerTest(
        name=name,
        directory=issuer.directory,
        terms_of_service=directory.terms_of_service,
        website=directory.website,
        caa_identities=tuple(directory.caa_identities),
        eab_required=directory.eab_required,
        profiles=dict(directory.profiles),
        ari=directory.has_renewal_info,
        milliseconds=round(took * 1000),
        clock_skew_seconds=None if skew is None else round(skew.total_seconds()),
        missing=tuple(missing),
    )


def add_issuer(context: Context, name: str, config: IssuerConfig) -> None:
    """Write `[issuers.NAME]`. Raises UsageError for an invalid name, a directory without HTTPS, or invalid limits."""
    from core.config.edit import set_issuer
    from core.identifiers import check_lineage_name
    from core.limit_table import broken

    check_lineage_name(name)
    if name not in BUILT_IN and not config.directory:
        raise UsageError(
            f"The issuer {name} needs a directory.",
            "certdeck has no built-in issuer with that name.",
            "Give the URL of its ACME directory, for example https://ca.example.com/acme/directory.",
        )
    if config.directory and not config.directory.startswith("https://"):
        raise UsageError(
            "An ACME directory must use HTTPS.",
            f"{config.directory!r} does not begin with https:// (RFC 8555 §6.1).",
            "Give the HTTPS URL. For a private CA, set its root as the CA bundle.",
        )
    if isinstance(config.limits, Mapping) and (problem := broken(config.limits)) is not None:
        raise UsageError(f"The limits of {name} are not valid.", f"{problem[0]}.", problem[1])
    set_issuer(context.paths, name, config)
    context.narrator.tell(Changed(what=f"issuer {name} set"))


def remove_issuer(context: Context, name: str) -> None:
    """Remove `[issuers.NAME]`. Raises NotFound; InUse (`in-use`) if something uses it; UsageError if it is only built in."""
    from core.config.edit import remove_table

    issuer_named(context.config, name)
    if name not in context.config.issuers:
        raise UsageError(f"{name} is built in.", "The configuration has no entry to remove.", "No action is needed.")
    if name not in BUILT_IN:
        users = list(_users(context, name))
        if users:
            raise InUse(
                f"{name} is still used by {', '.join(users[:5])}.",
                "Renewals would fail without it.",
                "Set another issuer for them first. Finish an open order with `certdeck complete`, or delete its certificate.",
            )
    remove_table(context.paths, ("issuers", name))
    context.narrator.tell(Changed(what=f"issuer {name} removed"))


def _users(context: Context, name: str) -> Iterator[str]:
    """Yield what uses an issuer: lineages, defaults, issuers whose staging issuer it is, open orders."""
    from core.store.orders import list_orders, load_order

    for facts in facts_of_all(context.paths)[0]:
        if facts.issuer == name:
            yield facts.name
    if context.config.defaults.issuer == name:
        yield "[defaults]"
    if name in context.config.defaults.fallback_issuers:
        yield "fallback_issuers in [defaults]"
    for other, entry in context.config.issuers.items():
        if entry.staging == name and other != name:
            yield f"staging in [issuers.{other}]"
    for each in list_orders(context.paths):
        with suppress(StoreCorrupt):  # a corrupt order cannot continue, whatever its issuer
            order = load_order(context.paths, each)
            if order is not None and order.issuer == name:
                yield f"the open order of {each}"


def set_default_issuer(context: Context, name: str) -> tuple[str, ...]:
    """Set the default issuer of new certificates. Returns the names of existing ones with another issuer. Raises NotFound."""
    from core.config.edit import set_values

    issuer_named(context.config, name)
    set_values(context.paths, {"defaults.issuer": name})
    context.narrator.tell(Changed(what=f"default issuer {name}"))
    every = facts_of_all(context.paths)[0]
    return tuple(
        facts.name for facts in every if facts.version is not None and facts.issuer not in (name, UPLOAD, SELF_SIGNED)
    )


def agree_terms(context: Context, name: str) -> None:
    """Record the agreement to an issuer's terms of service (CC-05). Raises NotFound, UsageError."""
    from core.config.edit import set_values

    if issuer_named(context.config, name).kind != "acme":
        raise UsageError(
            f"{name} has no terms of service.", "It works only on this box.", "There is nothing to accept."
        )
    set_values(context.paths, {("issuers", name, "agree_tos"): True})
    context.narrator.tell(Changed(what=f"accepted the terms of service of {name}"))


def _info(context: Context, name: str) -> IssuerInfo:
    issuer = issuer_named(context.config, name)
    entry = context.config.issuers.get(name)
    account = load_account(context.paths, name, issuer.directory) if issuer.directory else None
    return IssuerInfo(
        name=name,
        title=issuer.title,
        kind=issuer.kind,
        directory=issuer.directory,
        built_in=name in BUILT_IN,
        needs_eab=issuer.needs_eab if issuer.is_known else None,
        wildcard=issuer.wildcard if issuer.is_known else None,
        ip=issuer.ip if issuer.is_known else None,
        key_types=tuple(issuer.key_types),
        max_names=issuer.max_names,
        staging=issuer.staging,
        notes=tuple(issuer.notes),
        is_default=context.config.defaults.issuer == name,
        terms_agreed=bool(entry and entry.agree_tos) or bool(account and account.terms),
        account_url=account.url if account else None,
    )
