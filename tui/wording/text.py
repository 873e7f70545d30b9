"""Wording that both front ends share: durations, times, severities, names, and each event as one line of plain text.

Pure and without Textual. Times are shown in local time, from aware values with `now` as an argument. All results have been through
`printable`: they contain no control characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from core import dates
from core.dates import day_shown, minute_shown
from core.health import CRITICAL, OK, WARNING, WITHOUT_TIMER, Health, health
from core.renewal import LONGEST_BEFORE_DAYS, SHORT_LIFE_DAYS
from core.text import plural
from tui.glyphs import Drawing, printable, to_ascii
from tui.wording.narration import sentence

if TYPE_CHECKING:
    from core.events import Event
    from core.operations import LineageStatus

__all__ = ["MARKS", "Mark", "describe", "plural", "printable", "to_ascii"]


class Mark(Struct, frozen=True):
    """A state in three forms, because color alone is not visible on a monochrome terminal."""

    glyph: str
    ascii: str
    word: str
    colour: str
    """Name of the theme's variable, without `$`."""


MARKS: Final[Mapping[str, Mark]] = {
    "red": Mark("✖", "x", "needs you", "severity-red"),
    "yellow": Mark("▲", "!", "renews soon", "severity-yellow"),
    "green": Mark("●", "*", "healthy", "severity-green"),
    "warned": Mark("▲", "!", "warning", "severity-yellow"),
    # targets
    "deployed": Mark("●", "*", "serves this one", "severity-green"),
    "stale": Mark("▲", "!", "serves another one", "severity-yellow"),
    "failed": Mark("✖", "x", "failed", "severity-red"),
    "unknown": Mark("○", "o", "not checked yet", "text-muted"),
    # findings and checks
    "pass": Mark("✔", "+", "passed", "severity-green"),
    "warn": Mark("▲", "!", "warning", "severity-yellow"),
    "fail": Mark("✖", "x", "failed", "severity-red"),
    "skip": Mark("○", "o", "skipped", "text-muted"),
    # an order with manual DNS records
    "waits": Mark("◐", "~", "waits for you", "severity-yellow"),
    # answer of a name server about a record
    "has": Mark("✔", "+", "has it", "severity-green"),
    "lacks": Mark("▲", "!", "lacks it", "severity-yellow"),
    "silent": Mark("○", "o", "no response", "text-muted"),
    "unreachable": Mark("○", "o", "not reachable", "text-muted"),
    "refuses": Mark("✖", "x", "refuses", "severity-red"),
}
"""Marks of severities, targets, checks, manual orders and name servers."""

_KEYS: Final = {
    "ec-256": "EC P-256",
    "ec-384": "EC P-384",
    "ec-521": "EC P-521",
    "ec-explicit": "EC, explicit curve",
    "ed25519": "Ed25519",
    "ed448": "Ed448",
}

_FORMS: Final = "Inc|Ltd|Limited|LLC|GmbH|AG|Corp|Corporation|Company|S\\.?A|B\\.?V|SpA|Pty|Oy|AB|CA"

SET_ONCE: Final = "dns-persist-01"
"""The challenge whose record stays in DNS, for every renewal."""

_METHODS: Final = {
    "self-signed": "self-signed by this box",
    "private-ca": "private CA of this box",
    "http-01": "HTTP-01",
    "dns-01": "DNS-01, records set automatically",
    "manual-dns-01": "DNS-01, records set manually",
    "dns-account-01": "DNS-ACCOUNT-01, records set automatically",
    "manual-dns-account-01": "DNS-ACCOUNT-01, records set manually",
    "dns-persist-01": "DNS-PERSIST-01, a record set once",
    "upload": "uploaded",
}

_RENEWALS: Final = {
    "ari": "the moment the CA suggests (ARI)",
    "ari-late": "before the moment the CA suggests (ARI), which is too late",
    "chain": "before its chain ends",
    "revoked": "it is revoked",
    "settings": "its settings have changed",
    "days-before": "the configured number of days before expiry",
    "off": "automatic renewal is off",
    "by hand": "it cannot renew automatically",
    "retry": "the next attempt after a failure",
    "deploy": "its newest certificate is not deployed yet",
    "no certificate": "there is no certificate yet",
}


_COLOURS: Final = {OK: "green", WARNING: "yellow", CRITICAL: "red"}


def severity_of(lineage: LineageStatus) -> str:
    """Return the color of a certificate's health: `green`, `yellow` or `red`."""
    return colour_of(health(lineage))


def colour_of(judged: Health) -> str:
    """Return the color of a known health: `green`, `yellow` or `red`."""
    return _COLOURS[judged.level]


# -- durations and times -----------------------------------------------------------------------------------------------


NEVER_BACKED_UP: Final = "The master key of this box was never backed up."
BACK_UP: Final = "`certdeck backup --out FILE` writes a backup; `certdeck backup --elsewhere` ends this reminder."


def not_yet_valid(lineage: LineageStatus, now: datetime) -> bool:
    """Tell whether a certificate is not valid yet: clients reject it until then."""
    return lineage.not_before is not None and now < lineage.not_before


def short_left(lineage: LineageStatus, now: datetime) -> str:
    """Return the time left, for a narrow column: `21 d`, `5 h`, `over`, `not yet`, `none`."""
    if lineage.not_after is None:
        return "none"
    if not_yet_valid(lineage, now):
        return "not yet"
    left = lineage.not_after - now
    if left.days > 0:
        return f"{left.days} d"
    if left <= timedelta():
        return "over"
    return f"{left.seconds // 3600} h" if left.seconds >= 3600 else f"{left.seconds // 60} min"


def days_shown(days: int) -> str:
    """Return the whole days left: `31 days`, `1 day`, or `expired`."""
    return "expired" if days < 0 else plural(days, "day")


def days_left(lineage: LineageStatus, now: datetime) -> str:
    """Return `21 days left`, `5 hours left`, `expired 2 days ago`, `not valid before …`, `no certificate yet`."""
    if lineage.not_after is None:
        return "no certificate yet"
    if lineage.not_before is not None and not_yet_valid(lineage, now):
        return f"not valid before {moment(lineage.not_before)}"
    left = lineage.not_after - now
    if left <= timedelta():
        return f"expired {ago(lineage.not_after, now)}"
    return f"{_long(left)} left"


def _long(span: timedelta) -> str:
    seconds = abs(span).total_seconds()
    if seconds < 60:
        return plural(int(seconds), "second")
    if seconds < 3600:
        return plural(int(seconds // 60), "minute")
    if seconds < 86400:
        return plural(int(seconds // 3600), "hour")
    return plural(int(seconds // 86400), "day")


def brief(span: timedelta) -> str:
    """Return `45 s`, `12 min`, `23 h`, `3 d`."""
    seconds = abs(span).total_seconds()
    if seconds < 60:
        return f"{int(seconds)} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min"
    return f"{int(seconds // 3600)} h" if seconds < 172800 else f"{int(seconds // 86400)} d"


def elapsed(seconds: float) -> str:
    """Return how long a step took: `0.3 s`, `12 s`, `2:05 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60}:{whole % 60:02} min"


def span(seconds: float) -> str:
    """Return a duration in its two largest units: `6 days 22 hours`, `1 hour 12 minutes`, `45 seconds`."""
    whole = max(int(seconds), 0)
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{plural(days, 'day')} {plural(hours, 'hour')}" if hours else plural(days, "day")
    if hours:
        return f"{plural(hours, 'hour')} {plural(minutes, 'minute')}" if minutes else plural(hours, "hour")
    return plural(minutes, "minute") if minutes else plural(whole, "second")


def ago(moment: datetime, now: datetime) -> str:
    """Return `just now`, `2 minutes ago`, `3 days ago`."""
    return "just now" if now - moment < timedelta(seconds=5) else f"{_long(now - moment)} ago"


def until(moment: datetime, now: datetime) -> str:
    """Return `in 23 h`, or `now` if the time has passed."""
    return f"in {brief(moment - now)}" if moment > now else "now"


def day(moment: datetime) -> str:
    """Return the local day: `12 Dec 2026`."""
    return day_shown(moment.astimezone())


def clock(moment: datetime) -> str:
    """Return the local time of day: `03:00`."""
    return f"{moment.astimezone():%H:%M}"


def moment(when: datetime) -> str:
    """Return the local day and time with its zone: `12 Dec 2026 04:02 UTC`."""
    return minute_shown(when.astimezone())


def moment_in_words(when: datetime) -> str:
    """Return the local day and time as it follows `on` in a sentence: `12 Dec 2026 at 04:02 UTC`."""
    return dates.moment_in_words(when.astimezone())


_FAR: Final = timedelta(days=3)
"""Neither today nor tomorrow, whatever a clock change does to the days between."""


def soon(when: datetime, now: datetime) -> str:
    """Return a near moment as people say it: `today 14:00`, `tonight 03:00`, `tomorrow 15:00`, else `on 12 Dec 2026`."""
    if when <= now:
        return "at the next run"
    if when - now > _FAR:
        return f"on {day(when)}"
    local, here = when.astimezone(), now.astimezone()
    days = (local.date() - here.date()).days
    if days == 0:
        return f"today {local:%H:%M}"
    if days == 1:
        return f"{'tonight' if local.hour < 6 else 'tomorrow'} {local:%H:%M}"
    return f"on {day_shown(local)}"


# -- names and words ---------------------------------------------------------------------------------------------------


def name_shown(domain: str) -> str:
    """Return a domain for display: A-labels as Unicode if that is possible, drawable and unambiguous."""
    if "xn--" not in domain or Drawing.ascii:
        return printable(domain)
    return ".".join(map(_label_shown, domain.split(".")))


def _label_shown(label: str) -> str:
    if not label.startswith("xn--"):
        return printable(label)
    try:
        shown = label[4:].encode("ascii").decode("punycode")
    except ValueError:
        return printable(label)
    # A label with spaces, dots or invisible characters could look like another name.
    honest = shown.isprintable() and shown == printable(shown) and not re.search(r"[\s.@/]", shown)
    return shown if honest else printable(label)


def names_shown(domains: tuple[str, ...]) -> str:
    """Return the first name and the number of others: `shop.example.com +2`. `localhost` comes last."""
    if not domains:
        return "–"
    if len(domains) == 1:
        return name_shown(domains[0])
    domains = tuple(sorted(domains, key=lambda domain: domain == "localhost"))
    return f"{name_shown(domains[0])} +{len(domains) - 1}"


def key_shown(key_type: str) -> str:
    """Return `EC P-256`, `RSA 2048`."""
    if key_type.startswith("rsa-pss-"):
        return f"RSA-PSS {printable(key_type[8:])}"
    if key_type.startswith("rsa-"):
        return f"RSA {printable(key_type[4:])}"
    return _KEYS.get(key_type, printable(key_type)) or "–"


def keys_shown(types: Iterable[str]) -> str:
    """Return `EC P-256, P-384; RSA 2048, 3072`: each family once."""
    families: dict[str, list[str]] = {}
    for each in map(key_shown, types):
        family, _, size = each.partition(" ")
        families.setdefault(family, []).append(size)
    return "; ".join(f"{family} {', '.join(sizes)}".rstrip() for family, sizes in families.items())


def method_shown(method: str) -> str:
    """Return how a certificate is obtained, in words."""
    return _METHODS.get(method, printable(method))


def is_manual(lineage: LineageStatus) -> bool:
    """Tell whether the next renewal needs manual DNS records, however the live certificate was obtained (ST-17)."""
    return lineage.renew_why == "by hand" and lineage.method != "upload"


def issuer_shown(lineage: LineageStatus) -> str:
    """Return the short name of the issuer: `Let's Encrypt`, `self-signed`, `private CA`."""
    return _issuer_shown(lineage.ca, lineage.issuer, lineage.method, lineage.self_signed)


@lru_cache(maxsize=256)
def _issuer_shown(ca: str | None, issuer: str, method: str, self_signed: bool) -> str:
    """Return the same: thousands of certificates have few issuers."""
    from core.issuers import BUILT_IN

    built_in = BUILT_IN.get(ca or "")
    if built_in is not None:
        return {"self-signed": "self-signed", "private-ca": "private CA"}.get(built_in.kind, built_in.title)
    if self_signed:
        return "self-signed"
    return printable(ca or _house(common_name(issuer)) or method) or "–"


def _house(name: str) -> str:
    """Return the name of a company without its legal form and product: `DigiCert`."""
    found = re.match(rf"(.+?),? (?:{_FORMS})\b", name)
    return found[1] if found else name


def common_name(distinguished: str) -> str:
    """Return the CN of an RFC 4514 name, else its organization, else the whole name."""
    for attribute in ("CN", "O"):
        found = re.search(rf"(?:^|,){attribute}=((?:\\.|[^,\\])*)", distinguished)
        if found:
            return printable(re.sub(r"\\(.)", r"\1", found[1]))
    return printable(distinguished)


def renewal_shown(lineage: LineageStatus, now: datetime) -> str:
    """Return when a certificate renews: `renews tonight 03:00`, `renews manually before 12 Dec 2026`."""
    if is_manual(lineage) and lineage.not_after is not None:
        return f"renews manually before {day(lineage.not_after)}"
    if lineage.renew_at is None:
        if lineage.sha256:
            return "does not renew automatically"
        return "its order is open" if lineage.open_order else "waits for its first order"
    if lineage.timer != "active":
        return f"would renew {soon(lineage.renew_at, now)} – {WITHOUT_TIMER[lineage.timer]}"
    verb = {"retry": "tries again", "deploy": "is deployed"}.get(lineage.renew_why, "renews")
    return f"{verb} {soon(lineage.renew_at, now)}"


def renewal_why(lineage: LineageStatus) -> str:
    """Return the rule behind the renewal time, in words."""
    if lineage.renew_why == "by hand" and lineage.method == "upload":
        return "uploaded: upload a new one in time"
    if is_manual(lineage):
        return "its DNS records are set manually"
    if lineage.renew_why == "lifetime":
        return _rule_of(lineage)
    return _RENEWALS.get(lineage.renew_why, printable(lineage.renew_why))


def _rule_of(lineage: LineageStatus) -> str:
    """Return the rule that applies if neither the CA nor the configuration gives a time."""
    if lineage.not_before is None or lineage.not_after is None:
        return "when a third of its lifetime is left"
    days = (lineage.not_after - lineage.not_before) / timedelta(days=1)
    if days < SHORT_LIFE_DAYS:
        return "when half of its lifetime is left"
    # CAs issue "90 days" a second shorter, or some hours longer.
    return (
        "when a third of its lifetime is left"
        if days < 3 * LONGEST_BEFORE_DAYS + 1
        else f"{LONGEST_BEFORE_DAYS} days before it expires"
    )


def describe(event: Event) -> str:
    """Return an event as one line of plain text, without its time and its lineage."""
    from msgspec.structs import asdict

    kind = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", type(event).__name__).lower()
    return sentence(kind, asdict(event))


def describe_entry(kind: str, facts: Mapping[str, object]) -> str:
    """Return an entry of the history (`LogEntry.kind`, `.facts`) as the same line."""
    return sentence(kind, facts)


def listed(names: Sequence[str]) -> str:
    """Return `nginx`, `nginx and postfix`, `nginx, postfix and dovecot`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
