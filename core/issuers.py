"""The built-in issuers as data, and what each of them accepts. Pure.

What a directory states at run time (terms, profiles, ARI, CAA names) is read there and not stored here. The figures are from
2026-11; Let's Encrypt's from its profiles page of 2026-07-14, the others' from their own pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from core.budget import FAILURES, ORDERS, PER_DOMAIN, PER_NAMES, RENEWAL, REPLACES, Allowance
from core.identifiers import Identifier, public_problem
from core.key_types import KEY_TYPES
from core.limit_table import allowances

EVERY_KEY = KEY_TYPES
PUBLIC_KEYS = ("ec-256", "ec-384", "rsa-2048", "rsa-3072", "rsa-4096")
"""The key types that Let's Encrypt, and nearly every public CA, accepts."""


class Facts(Struct, frozen=True, kw_only=True):
    """Facts for comparing CAs, in words: published by the CA, or found by others."""

    as_of: str
    """Date of the source: year and month, or the day."""
    price: str
    lifetime: str
    names: str
    ip: str
    ari: str
    profiles: str
    limits: str
    """In words; if `Issuer.limits` has figures, those are shown."""


class Issuer(Struct, frozen=True, kw_only=True):
    """One CA that can be ordered from."""

    name: str
    title: str
    kind: str = "acme"
    """`acme`, `private-ca`, `self-signed`."""
    directory: str | None = None
    staging: str | None = None
    """Name of the issuer for rehearsals."""
    is_staging: bool = False
    is_public: bool = False
    """It issues only for names that exist in the public DNS."""
    needs_eab: bool = False
    needs_email: bool = False
    wildcard: bool = True
    ip: bool = True
    key_types: tuple[str, ...] = EVERY_KEY
    max_names: int = 100
    ip_profile: str | None = None
    """The profile that is required for IP addresses."""
    profile_max_names: Mapping[str, int] = field(default_factory=dict)
    limits: tuple[Allowance, ...] = ()
    """Its published limits; empty: nothing is counted."""
    limits_as_of: str = ""
    """Date of the page with the limits; empty if they are set in the configuration."""
    orders_per_run: int | None = None
    """Maximum number of renewals in one scheduled run, if more are due but not urgent. None: all."""
    facts: Facts | None = None
    """For a comparison with other issuers."""
    notes: tuple[str, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether its requirements are known. An added issuer is assumed to accept everything until it refuses."""
        built_in = BUILT_IN.get(self.name)
        return built_in is not None and built_in.directory == self.directory


class IssuerProblem(Struct, frozen=True):
    """Why an issuer would refuse, and what to do instead."""

    what: str
    fix: str


_HOUR, _WEEK = 3600.0, 7 * 86400.0
_LETSENCRYPT_LIMITS = (
    Allowance(limit=ORDERS, count=300, seconds=3 * _HOUR, exempt=(REPLACES, RENEWAL)),
    Allowance(limit=PER_DOMAIN, count=50, seconds=_WEEK, exempt=(REPLACES, RENEWAL)),
    Allowance(limit=PER_NAMES, count=5, seconds=_WEEK, exempt=(REPLACES,)),
    Allowance(limit=FAILURES, count=5, seconds=_HOUR, exempt=(REPLACES,)),
)
"""letsencrypt.org/docs/rate-limits."""
_STAGING_LIMITS = (
    Allowance(limit=ORDERS, count=1500, seconds=3 * _HOUR, exempt=(REPLACES, RENEWAL)),
    Allowance(limit=PER_NAMES, count=30_000, seconds=_WEEK, exempt=(REPLACES,)),
    Allowance(limit=FAILURES, count=200, seconds=_HOUR, exempt=(REPLACES,)),
)
"""letsencrypt.org/docs/staging-environment."""
_LETSENCRYPT_PROFILES = {"classic": 100, "tlsserver": 25, "shortlived": 25}

BUILT_IN: Mapping[str, Issuer] = {
    issuer.name: issuer
    for issuer in (
        Issuer(
            name="letsencrypt",
            title="Let's Encrypt",
            directory="https://acme-v02.api.letsencrypt.org/directory",
            staging="letsencrypt-staging",
            is_public=True,
            key_types=PUBLIC_KEYS,
            ip_profile="shortlived",
            profile_max_names=_LETSENCRYPT_PROFILES,
            limits=_LETSENCRYPT_LIMITS,
            limits_as_of="2026-08-05",
            orders_per_run=150,
            facts=Facts(
                as_of="2026-08-05",
                price="free",
                lifetime="90 days (classic), 45 days (tlsserver), 160 hours (shortlived)",
                names="100 (classic), 25 (tlsserver, shortlived)",
                ip="with the profile shortlived only",
                ari="yes",
                profiles="classic, tlsserver, shortlived",
                limits="",
            ),
            notes=("Free. 90 days, 64 from 10 Feb 2027. 50 certificates a week for a registered domain.",),
        ),
        Issuer(
            name="letsencrypt-staging",
            title="Let's Encrypt (staging)",
            directory="https://acme-staging-v02.api.letsencrypt.org/directory",
            is_staging=True,
            is_public=True,
            key_types=PUBLIC_KEYS,
            ip_profile="shortlived",
            profile_max_names=_LETSENCRYPT_PROFILES,
            limits=_STAGING_LIMITS,
            limits_as_of="2026-04-10",
            notes=("For rehearsals: browsers do not trust what it issues.",),
        ),
        Issuer(
            name="zerossl",
            title="ZeroSSL",
            directory="https://acme.zerossl.com/v2/DV90",
            is_public=True,
            needs_eab=True,
            ip=False,
            key_types=PUBLIC_KEYS,
            facts=Facts(
                as_of="2026-07",
                price="free",
                lifetime="90 days",
                names="100 or more",
                ip="not through ACME",
                ari="sources differ",
                profiles="none",
                limits="not published",
            ),
            notes=(
                "Free. 90 days. Requires an external account binding from its dashboard. Issuing can take minutes.",
            ),
        ),
        Issuer(
            name="google",
            title="Google Trust Services",
            directory="https://dv.acme-v02.api.pki.goog/directory",
            staging="google-staging",
            is_public=True,
            needs_eab=True,
            ip=False,
            key_types=PUBLIC_KEYS,
            facts=Facts(
                as_of="2026-07",
                price="free",
                lifetime="1 to 90 days",
                names="100 or more",
                ip="only with a business need",
                ari="yes",
                profiles="standard, minimal",
                limits="quotas of the Google Cloud project; no figures for ACME",
            ),
            notes=("Free. Up to 90 days. Requires an external account binding, valid once and for 7 days.",),
        ),
        Issuer(
            name="google-staging",
            title="Google Trust Services (staging)",
            directory="https://dv.acme-v02.test-api.pki.goog/directory",
            is_staging=True,
            is_public=True,
            needs_eab=True,
            ip=False,
            key_types=PUBLIC_KEYS,
            notes=("For rehearsals. It has its own account binding.",),
        ),
        Issuer(
            name="sslcom",
            title="SSL.com (ECDSA)",
            directory="https://acme.ssl.com/sslcom-dv-ecc",
            is_public=True,
            needs_eab=True,
            needs_email=True,
            wildcard=False,
            ip=False,
            key_types=("ec-256", "ec-384"),
            max_names=2,
            facts=Facts(
                as_of="2026-07",
                price="free for one name and its www.; charges the account if it has funds",
                lifetime="90 days",
                names="1 and its www.",
                ip="no",
                ari="no",
                profiles="none",
                limits="not published",
            ),
            notes=("One name and its www. without payment. Charges the account if it has funds.",),
        ),
        Issuer(
            name="sslcom-rsa",
            title="SSL.com (RSA)",
            directory="https://acme.ssl.com/sslcom-dv-rsa",
            is_public=True,
            needs_eab=True,
            needs_email=True,
            wildcard=False,
            ip=False,
            key_types=("rsa-2048", "rsa-3072", "rsa-4096"),
            max_names=2,
            facts=Facts(
                as_of="2026-07",
                price="free for one name and its www.; charges the account if it has funds",
                lifetime="90 days",
                names="1 and its www.",
                ip="no",
                ari="no",
                profiles="none",
                limits="not published",
            ),
            notes=("One name and its www. without payment. Charges the account if it has funds.",),
        ),
        Issuer(
            name="actalis",
            title="Actalis",
            directory="https://acme-api.actalis.com/acme/directory",
            is_public=True,
            needs_eab=True,
            wildcard=False,
            ip=False,
            key_types=PUBLIC_KEYS,
            max_names=2,
            facts=Facts(
                as_of="2026-07",
                price="free for one name and its www.",
                lifetime="90 days",
                names="1 and its www.",
                ip="only paid OV certificates",
                ari="yes",
                profiles="none",
                limits="not published",
            ),
            notes=("One name and its www. without payment. 90 days.",),
        ),
        Issuer(
            name="appliance-ca",
            title="Private CA of this box",
            kind="private-ca",
            max_names=1000,
            notes=("Needs no network and no validation. Clients trust it once its root is in their trust store.",),
        ),
        Issuer(
            name="self-signed",
            title="self-signed",
            kind="self-signed",
            max_names=1000,
            notes=("For the first setup. Browsers show a warning.",),
        ),
    )
}


_STAGING_DIRECTORIES = frozenset(issuer.directory for issuer in BUILT_IN.values() if issuer.is_staging)


def merged(
    built_in: Issuer | None,
    name: str,
    *,
    directory: str | None,
    title: str | None,
    staging: str | None,
    limits: str | Mapping[str, str] | None = None,
    orders_per_run: int | None = None,
) -> Issuer:
    """Return an issuer as changed or added by the configuration; one that is not built in is assumed to accept everything.

    A different directory is a different CA: none of the facts of the built-in issuer apply.

    Args:
        limits: the built-in issuer with the same limits; `none`: nothing is counted; or a table with limits (`core.limit_table`).
    """
    made = _merged(built_in, name, directory=directory, title=title, staging=staging)
    if isinstance(limits, Mapping):
        made = replace(made, limits=allowances(limits), limits_as_of="")
    elif limits is not None:
        like = BUILT_IN.get(limits)
        made = replace(made, limits=like.limits if like else (), limits_as_of=like.limits_as_of if like else "")
    return made if orders_per_run is None else replace(made, orders_per_run=orders_per_run)


def _merged(
    built_in: Issuer | None, name: str, *, directory: str | None, title: str | None, staging: str | None
) -> Issuer:
    if built_in is None or (directory is not None and directory != built_in.directory):
        shown = title or (built_in.title if built_in else name)
        is_staging = directory in _STAGING_DIRECTORIES
        return Issuer(name=name, title=shown, directory=directory, staging=staging, is_staging=is_staging)
    return replace(built_in, title=title or built_in.title, staging=staging or built_in.staging)


def profile_for(
    issuer: Issuer, identifiers: Sequence[Identifier], wanted: str | None
) -> tuple[str | None, tuple[str, ...]]:
    """Return the profile to order with, and sentences about automatic decisions."""
    if wanted is None and issuer.ip_profile and any(identifier.type == "ip" for identifier in identifiers):
        said = (
            f"{issuer.title} issues certificates for IP addresses only with the profile {issuer.ip_profile}, "
            "so this profile is used."
        )
        return issuer.ip_profile, (said,)
    return wanted, ()


def issuer_problems(
    issuer: Issuer, identifiers: Sequence[Identifier], key_type: str, profile: str | None, challenge: str
) -> tuple[IssuerProblem, ...]:
    """Return all reasons why this issuer would refuse; empty if there are none."""
    found: list[IssuerProblem] = []
    wildcards = [identifier.display for identifier in identifiers if identifier.wildcard]
    addresses = [identifier.display for identifier in identifiers if identifier.type == "ip"]
    if wildcards and not issuer.wildcard:
        found.append(
            IssuerProblem(
                f"It issues no wildcard such as {wildcards[0]}.", "List the names one by one, or use another issuer."
            )
        )
    elif wildcards and issuer.kind == "acme" and challenge == "http-01":
        fix = "List the names one by one, use dns-01, or use the private CA (appliance-ca)."
        found.append(IssuerProblem(f"A wildcard such as {wildcards[0]} cannot be validated by http-01.", fix))
    if addresses and not issuer.ip:
        found.append(
            IssuerProblem(
                f"It issues no certificate for the address {addresses[0]}.", "Use a host name, or another issuer."
            )
        )
    elif addresses and issuer.ip_profile and profile not in (None, issuer.ip_profile):
        fix = f"Use the profile {issuer.ip_profile}."
        found.append(IssuerProblem(f"IP addresses require the profile {issuer.ip_profile}, not {profile}.", fix))
    if addresses and issuer.ip and issuer.kind == "acme" and challenge != "http-01":
        # RFC 8738 §7: an IP address has no name in DNS for a record.
        fix = "Use http-01, if necessary in a separate certificate."
        found.append(IssuerProblem(f"The address {addresses[0]} cannot be validated by {challenge}.", fix))
    ordered = issuer.ip_profile if addresses and profile is None else profile
    limit = issuer.profile_max_names.get(ordered or "", issuer.max_names)
    if len(identifiers) > limit:
        fix = "Spread the names over several certificates, or use a wildcard."
        found.append(IssuerProblem(f"It accepts {limit} names in one certificate, not {len(identifiers)}.", fix))
    if key_type not in issuer.key_types:
        fix = f"Use one of: {', '.join(issuer.key_types)}."
        found.append(IssuerProblem(f"It does not accept keys of type {key_type}.", fix))
    if issuer.is_public:
        for identifier in identifiers:
            problem = public_problem(identifier)
            if problem:
                found.append(IssuerProblem(problem, "Use a public DNS name, or the private CA (appliance-ca)."))
    return tuple(found)
