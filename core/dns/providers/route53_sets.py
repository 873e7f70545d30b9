"""TXT record sets in Route 53's format, and batches that change them only if they are still as they were read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from msgspec import Struct

from core.dns.changes import NameChange
from core.dns.plain_xml import text_of
from core.dns.provider import TTL_SECONDS
from core.dns.txt import quoted, unquoted

NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"
MOST_CHARACTERS = 30_000
MOST_VALUES = 900
"""Limits of a batch here; Route 53 allows 32,000 and 1,000."""

_OCTAL = re.compile(r"\\([0-3][0-7]{2})")


class NotSimple(Exception):
    """A set that is more than values with a TTL; the text says what, for the user. Never leaves `core.dns`."""


class TxtSet(Struct, frozen=True):
    """The TXT set of one name, everything as read."""

    name: str
    """As Route 53 writes it, with the final dot."""
    ttl: str
    texts: tuple[str, ...]

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(map(unquoted, self.texts))


Batch = Sequence[tuple[str, TxtSet]]
"""`DELETE` or `CREATE`, each with its set."""


def set_in(element: Element) -> TxtSet | None:
    """Return the set in a `ResourceRecordSet`; None if it is incomplete. Raises NotSimple."""
    if element.find("SetIdentifier") is not None:
        raise NotSimple("chosen by a routing policy")
    if element.find("AliasTarget") is not None or element.find("TrafficPolicyInstanceId") is not None:
        raise NotSimple("an alias")
    texts = tuple(each.text or "" for each in element.findall("ResourceRecords/ResourceRecord/Value"))
    name, ttl = text_of(element, "Name"), text_of(element, "TTL")
    return TxtSet(name, ttl, texts) if name and ttl and texts and all(texts) else None


def unescaped(name: str) -> str:
    """Return a name without escapes: Route 53 writes characters other than letters, digits, `-` and `_` in octal, as `\\052`."""
    return _OCTAL.sub(lambda found: chr(int(found[1], 8)), name)


def batches(sets: Mapping[str, TxtSet], left: Mapping[str, NameChange]) -> Iterator[Batch]:
    """Yield the changes in batches that Route 53 accepts; the changes of a name stay in one batch.

    Deleting a set that has changed since it was read makes the whole batch fail, and so does creating a set at a name that has
    one by then.
    """
    batch: list[tuple[str, TxtSet]] = []
    for name, change in left.items():
        old = sets.get(name)
        texts = tuple(text for text in (old.texts if old else ()) if unquoted(text) not in change.remove)
        texts += tuple(quoted(value) for value in change.missing(old.values if old else ()))
        actions = [("DELETE", old)] if old else []
        if texts:
            new = TxtSet(old.name, old.ttl, texts) if old else TxtSet(f"{name}.", str(TTL_SECONDS), texts)
            actions.append(("CREATE", new))
        if batch and _is_too_much([*batch, *actions]):
            yield batch
            batch = []
        batch += actions
    if batch:
        yield batch


def batch_xml(batch: Batch) -> bytes:
    """Return the body of a ChangeResourceRecordSets request."""
    root = Element("ChangeResourceRecordSetsRequest", xmlns=NAMESPACE)
    changes = SubElement(SubElement(root, "ChangeBatch"), "Changes")
    for action, each in batch:
        change = SubElement(changes, "Change")
        SubElement(change, "Action").text = action
        rrset = SubElement(change, "ResourceRecordSet")
        for key, text in (("Name", each.name), ("Type", "TXT"), ("TTL", each.ttl)):
            SubElement(rrset, key).text = text
        records = SubElement(rrset, "ResourceRecords")
        for text in each.texts:
            SubElement(SubElement(records, "ResourceRecord"), "Value").text = text
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + bytes(tostring(root, encoding="utf-8"))


def _is_too_much(batch: Batch) -> bool:
    texts = [text for _, each in batch for text in each.texts]
    return len(texts) > MOST_VALUES or sum(map(len, texts)) > MOST_CHARACTERS
