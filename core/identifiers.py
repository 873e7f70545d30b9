"""The names and addresses of a certificate, from user input to the wire format (RFC 8555 §7.1.4, RFC 8738).

Names are shown as U-labels and sent as A-labels in lower case. Every refusal says which name, why, and what to type instead,
and all of them are reported together. Pure; `idna` is loaded only for a name that is not ASCII.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from core.errors import UsageError
from core.text import visible

LONGEST_NAME = 253
LONGEST_LABEL = 63
LONGEST_LINEAGE = 128
_MOST_EXPLAINED = 8
"""Refused names that a message explains one by one; `details` has all of them."""
_LINEAGE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_SEPARATORS = re.compile(r"[\s,;]+")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_COUNTRY_SECOND_LEVELS = frozenset(("ac", "co", "com", "edu", "go", "gov", "ne", "net", "or", "org"))
"""Second levels below which many countries register domains (`example.co.uk`): sufficient for a hint, unlike a full list."""
_PRIVATE_SUFFIXES = frozenset(
    # RFC 6761, RFC 6762, RFC 8375, RFC 9476, ICANN's reservation of .internal (2024), and usual names of routers, Windows domains.
    (
        "local",
        "localhost",
        "internal",
        "lan",
        "home",
        "corp",
        "intranet",
        "private",
        "test",
        "example",
        "invalid",
        "onion",
        "alt",
        "arpa",
    )
)


class BadIdentifier(UsageError):
    """The input is not a name or address. `details["problems"]`: one `name`, `why` and `fix` for each."""

    code = "bad-identifier"


class BadLineageName(UsageError):
    """The name is not valid for a lineage, issuer or target."""

    code = "bad-lineage-name"


class Identifier(Struct, frozen=True):
    """One DNS name or IP address."""

    value: str
    """A-label, lower case, no final dot, `*.` kept; or the canonical text of an address."""
    type: str
    """`dns` or `ip`."""
    display: str
    """The form shown to people."""

    @property
    def wildcard(self) -> bool:
        return self.value.startswith("*.")


def parse_identifier(text: str) -> Identifier:
    """Return the one identifier in `text`. Raises BadIdentifier (`bad-identifier`)."""
    try:
        return _parse(text.strip())
    except _Refused as exc:
        raise _bad([exc]) from None


def parse_identifiers(texts: Iterable[str]) -> tuple[Identifier, ...]:
    """Return the identifiers in `texts`, split at white space, commas and semicolons, without duplicates, in order (SO-16).

    Raises BadIdentifier (`bad-identifier`) with every problem.
    """
    found: dict[str, Identifier] = {}
    refused: list[_Refused] = []
    for text in texts:
        for part in [part for part in _SEPARATORS.split(text) if part] or [""]:
            try:
                identifier = _parse(part)
            except _Refused as exc:
                refused.append(exc)
            else:
                found.setdefault(identifier.value, identifier)
    if refused:
        raise _bad(refused)
    return tuple(found.values())


def companion(identifier: Identifier, challenge: str) -> Identifier | None:
    """Return the name that usually accompanies a bare domain: `www.` with HTTP-01 (SO-14), `*.` with DNS-01 (SO-15); or None."""
    labels = identifier.value.split(".")
    if identifier.type == "ip" or identifier.wildcard or labels[0] == "www" or labels[-1] in _PRIVATE_SUFFIXES:
        return None
    is_national = len(labels[-1]) == 2 and len(labels) > 1 and labels[-2] in _COUNTRY_SECOND_LEVELS
    if len(labels) != (3 if is_national else 2) or len(identifier.value) > LONGEST_NAME - len("www."):
        return None
    prefix = "*." if challenge == "dns-01" else "www."
    return Identifier(prefix + identifier.value, "dns", prefix + identifier.display)


def public_problem(identifier: Identifier) -> str | None:
    """Return why no public CA can issue for a name; None if one could."""
    if identifier.type == "ip":
        import ipaddress

        address = ipaddress.ip_address(identifier.value)
        if address.is_global and not address.is_multicast:
            return None
        return f"{identifier.display} is not a public address of one host, so no public CA issues for it."
    labels = identifier.value.removeprefix("*.").split(".")
    if len(labels) == 1:
        return f"{identifier.display} is not a complete name: a public CA requires a domain with a top-level domain."
    if labels[-1] in _PRIVATE_SUFFIXES:
        return f"{identifier.display} ends in .{labels[-1]}, which does not exist in the public DNS."
    if any(label[2:4] == "--" and not label.startswith("xn--") for label in labels):
        return (
            f"{identifier.display} has a label with two hyphens in the third and fourth position, which is reserved "
            "(RFC 5890)."
        )
    return None


def lineage_name_for(identifier: Identifier) -> str:
    """Return the default name of a lineage: its first name, `*` as `_wildcard`, shortened if necessary."""
    name = re.sub(r"[^A-Za-z0-9._-]", "-", identifier.value.replace("*", "_wildcard"))
    if not _LINEAGE.fullmatch(name[:1]):
        name = f"_{name}"
    if len(name) <= LONGEST_LINEAGE:
        return name
    import hashlib

    digest = hashlib.sha256(identifier.value.encode()).hexdigest()[:8]
    return f"{name[: LONGEST_LINEAGE - 9].rstrip('.-')}-{digest}"


def check_lineage_name(name: str) -> None:
    """Raise BadLineageName (`bad-lineage-name`) for a name that is not valid for a lineage, issuer or target (SO-11)."""
    if _LINEAGE.fullmatch(name):
        return
    shown = visible(name, 40)
    raise BadLineageName(
        f"{shown!r} is not a valid name.",
        "It becomes a file name: 1 to 128 letters, digits, dots, hyphens and underscores, not starting with a dot or hyphen.",
        "Choose another name, for example my_domain_com.",
    )


class _Refused(Exception):
    def __init__(self, text: str, why: str, fix: str) -> None:
        super().__init__(why)
        self.text = visible(text, 80)
        self.why = why
        self.fix = fix


def _bad(refused: list[_Refused]) -> BadIdentifier:
    first = refused[0]
    if len(refused) == 1:
        what = f"{first.text!r} cannot be in a certificate." if first.text else "A name is empty."
        why = first.why
    else:
        what = f"{len(refused)} names cannot be in a certificate."
        why = " ".join(f"{each.text!r}: {each.why}" for each in refused[:_MOST_EXPLAINED])
        if len(refused) > _MOST_EXPLAINED:
            why += f" And {len(refused) - _MOST_EXPLAINED} more."
    return BadIdentifier(
        what,
        why,
        " ".join(dict.fromkeys(each.fix for each in refused[:_MOST_EXPLAINED])),
        details={"problems": [{"name": each.text, "why": each.why, "fix": each.fix} for each in refused]},
    )


def _parse(text: str) -> Identifier:
    if not text:
        raise _Refused(text, "No name was entered.", "Type a name, for example www.example.com.")
    address = _address(text)
    if address is not None:
        return address
    _refuse_urls(text)
    star, base = ("*.", text[2:]) if text.startswith("*.") else ("", text)
    if not text.strip("."):
        raise _Refused(text, "It contains only dots.", "Type a name, for example www.example.com.")
    if "*" in base or not base.strip("."):
        raise _Refused(text, "A star replaces exactly one label, the leftmost one.", "Write it as *.example.com.")
    if "_" in base:
        raise _Refused(text, "Host names must not contain underscores.", "Use a hyphen, or another name.")
    # An A-label is never shorter than its U-label, so this also limits the work of idna.
    if len(base) > 2 * LONGEST_NAME:
        raise _Refused(text, f"A name has at most {LONGEST_NAME} characters.", "Use a shorter name.")
    ascii_name = base.lower() if base.isascii() else _to_ascii(text, base)
    if ascii_name.endswith(".") and not ascii_name.endswith(".."):
        ascii_name = ascii_name[:-1]
    if len(star + ascii_name) > LONGEST_NAME:
        raise _Refused(text, f"A name has at most {LONGEST_NAME} characters.", "Use a shorter name.")
    for label in ascii_name.split("."):
        if not label:
            raise _Refused(
                text, "It has an empty label: two consecutive dots, or a dot at the start.", "Remove the extra dot."
            )
        if len(label) > LONGEST_LABEL:
            raise _Refused(text, f"A label between dots has at most {LONGEST_LABEL} characters.", "Use a shorter name.")
        if not _LABEL.fullmatch(label):
            raise _Refused(
                text,
                "Labels contain letters, digits and hyphens, and do not start or end with a hyphen.",
                "Correct the name.",
            )
        if label.startswith("xn--") and not _is_punycode(label):
            raise _Refused(
                text, f"{label} is not an encoded international name (RFC 3492).", "Type the name in its own script."
            )
    if _NUMBER.fullmatch(ascii_name.rsplit(".", 1)[-1]):
        raise _Refused(
            text, "It looks like an IP address, but is not valid.", "An IPv4 address has four numbers from 0 to 255."
        )
    return Identifier(star + ascii_name, "dns", star + _display(ascii_name))


def _address(text: str) -> Identifier | None:
    if not (text[0] in "0123456789abcdefABCDEF:[" and (":" in text or text.replace(".", "").isdigit())):
        return None
    import ipaddress

    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return None
    value = str(address)
    if "%" in value:
        raise _Refused(
            text,
            "An address with a zone is valid on only one machine.",
            "Use an address that other machines can reach.",
        )
    if address.is_unspecified:
        raise _Refused(text, "It means all addresses of a machine.", "Use the address that clients connect to.")
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    if mapped is not None:
        # Python 3.13 writes it differently from 3.11, so the name would also change with an upgrade.
        raise _Refused(text, "It is an IPv4 address written as IPv6.", f"Type {mapped}.")
    return Identifier(value, "ip", value)


def _refuse_urls(text: str) -> None:
    host = re.sub(r"^([A-Za-z][A-Za-z0-9+.-]*:)?//", "", text)
    host = re.split(r"[/?#]", host, maxsplit=1)[0].rpartition("@")[2]
    host = re.sub(r":[0-9]*$", "", host)
    if host == text or not re.search(r"[/:@?#]", text):
        return
    fix = "Type only the name."
    try:
        # Only a valid name is suggested, so that nothing hostile is repeated in the advice.
        suggested = _address(host) if ":" in host else _parse(host)
    except _Refused:
        suggested = None
    if suggested is not None:
        fix = f"Type only the name: {suggested.display}"
    raise _Refused(text, "A certificate is for a host name, not for a URL, a port or a mailbox.", fix)


def _to_ascii(text: str, name: str) -> str:
    """Return a name in A-labels, converted label by label; the caller checks the ASCII labels."""
    import idna

    try:
        labels = idna.uts46_remap(name, False, False).split(".")
        return ".".join(label if label.isascii() else _a_label(label) for label in labels)
    except (idna.IDNAError, UnicodeError) as exc:
        if "too long" in str(exc):
            why, fix = f"A label between dots has at most {LONGEST_LABEL} characters, encoded.", "Use a shorter name."
        else:
            why, fix = "It contains characters that are not allowed in host names (IDNA 2008).", "Check the spelling."
        raise _Refused(text, why, fix) from None


def _a_label(label: str) -> str:
    import idna

    return idna.alabel(label).decode("ascii")


def _is_punycode(label: str) -> bool:
    """Return whether an A-label can be decoded. Names that IDNA 2008 no longer allows (emoji) exist and are accepted."""
    try:
        decoded = label.removeprefix("xn--").encode().decode("punycode")
    except UnicodeError:
        return False
    return decoded.isprintable() and not decoded.isascii()


def _display(ascii_name: str) -> str:
    if "xn--" not in ascii_name:
        return ascii_name
    import idna

    try:
        return str(idna.decode(ascii_name))
    except (idna.IDNAError, UnicodeError):
        return ascii_name
