"""Signing requests for CAs without ACME: creates, shows and deletes them, and matches them with the issued certificate (CL-15)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import AlreadyThere, UsageError
from core.events import Changed, KeyUsed
from core.identifiers import check_lineage_name, parse_identifier, parse_identifiers, public_problem
from core.key_types import KEY_TYPES
from core.store import requests
from core.store.lineages import live_version
from core.store.requests import RequestRecord
from core.text import listed
from core.upload.names import bare_domains_missing
from core.upload.values import CsrRequest, SigningRequest
from core.workflows.context import Context, View
from core.x509.subject import parse_subject, subject_text

if TYPE_CHECKING:
    from core.upload.bundle import OwnKey


def make_request(context: Context, request: CsrRequest) -> SigningRequest:
    """Create a key and a signing request, or return an existing request with the same content.

    Raises:
        BadLineageName, BadIdentifier, BadSubject, UsageError: invalid input. Nothing was created.
        AlreadyThere (`already-there`) with `details["needs"] == "replace"`: a request with this name has other content.
        UsageError with the same details: the key of the existing request is missing.
        VaultError, StoreError.
    """
    name, key_type = request.name, request.key_type
    check_lineage_name(name)
    names = tuple(each.value for each in parse_identifiers(request.domains))
    if key_type is not None and key_type not in KEY_TYPES:
        raise UsageError(
            f"There is no key type {key_type!r}.",
            "There are seven key types.",
            f"Use one of: {', '.join(KEY_TYPES)}.",
        )
    parts = None if request.subject is None else parse_subject(request.subject)
    _clear_up(context)
    before = None if request.replace else requests.find_request(context.paths, name)
    if before is not None:
        _refuse_other(before, names, key_type, None if parts is None else subject_text(parts))
        shown = _shown(context, before)
        if shown.is_lost:
            raise UsageError(
                f"The private key of the signing request {name} is missing.",
                "A certificate for this request cannot be used.",
                "Add --replace to create a new request with a new key.",
                details={"needs": "replace", "domains": list(before.names)},
            )
        return shown
    from core.x509.csr import build_request
    from core.x509.key import generate_key

    key = generate_key(key_type or context.config.defaults.key_type)
    context.cancel.check()
    record = RequestRecord(
        name=name,
        names=names,
        key_type=key.key_type,
        subject=subject_text(parts or ()),
        created=context.env.clock.now(),
        csr=build_request(key, names, parts or ()),
        key=requests.key_id(key.spki),
    )
    requests.save_request(context.paths, context.vault, record, key.to_pem())
    context.narrator.tell(Changed(what=f"created a private key and a signing request, {name}"))
    return _shown(context, record, is_new=True)


def open_requests(view: View) -> tuple[SigningRequest, ...]:
    """Return the requests whose certificates have not been imported yet."""
    return tuple(_shown(view, record) for record in requests.list_requests(view.paths) if not _is_served(view, record))


def open_request(view: View, name: str) -> SigningRequest:
    """Return an open request. Raises NotFound (`not-found`)."""
    check_lineage_name(name)
    record = requests.find_request(view.paths, name)
    if record is None or _is_served(view, record):
        raise requests.no_request(name)
    return _shown(view, record)


def write_request(view: View, name: str, out: Path) -> None:
    """Write a request (PEM, not secret) to a file for the CA. Raises NotFound; UsageError for an unsuitable path; StoreError."""
    from core.workflows.keeping.out_file import place_for

    pem = open_request(view, name).pem
    with place_for(view.paths, out, out / f"{name}.csr") as place:
        place.write(pem.encode(), 0o644)


def forget_request(context: Context, name: str) -> None:
    """Delete a request and its key. Raises NotFound (`not-found`)."""
    check_lineage_name(name)
    if not requests.delete_request(context.paths, name):
        raise requests.no_request(name)
    context.narrator.tell(Changed(what=f"removed the signing request {name} and its private key"))


def keys_of_requests(context: Context, public_keys: Iterable[bytes]) -> tuple[OwnKey, ...]:
    """Return the keys of open requests whose public keys (DER SubjectPublicKeyInfo) are in `public_keys`.

    Decrypts only these. Raises VaultError, StoreError.
    """
    found = _matching(context, public_keys)
    if not found:
        return ()
    from core.upload.bundle import OwnKey
    from core.x509.key_reader import load_key

    vault = context.vault
    keys = []
    for record in found:
        key = load_key(requests.open_key(context.paths, vault, record))
        keys.append(OwnKey(key, f"the request {record.name}", record.name))
        context.narrator.tell(KeyUsed(key=f"request/{record.name}", purpose="compare with an upload"))
    return tuple(keys)


def keep_answer(context: Context, public_key: bytes, name: str, version: int) -> None:
    """Record that a certificate with this public key is stored: if its deployment fails now, it may succeed later."""
    for record in _matching(context, (public_key,)):
        requests.save_answer(context.paths, record, name, version)


def forget_answered(context: Context, public_key: bytes) -> None:
    """Delete the requests with this public key: their certificate is live and stored with its key."""
    _clear_up(context)
    for record in _matching(context, (public_key,)):
        _forget(context, record)


def _clear_up(context: Context) -> None:
    """Delete requests whose certificates became live in another way than by their import, for example by `deploy`."""
    for record in requests.list_requests(context.paths):
        if _is_served(context, record):
            _forget(context, record)


def _forget(context: Context, record: RequestRecord) -> None:
    requests.delete_request(context.paths, record.name)
    context.narrator.tell(Changed(what=f"closed the signing request {record.name}: its certificate is in use"))


def _is_served(view: View, record: RequestRecord) -> bool:
    """Tell whether the version from this request is live, or was live before a newer one."""
    name, _, version = record.answer.rpartition("/")
    if not name or not version.isdigit():
        return False
    live = live_version(view.paths, name)
    return live is not None and live >= int(version)


def _matching(context: Context, public_keys: Iterable[bytes]) -> list[RequestRecord]:
    known = requests.list_requests(context.paths)
    if not known:
        return []
    wanted = {requests.key_id(each) for each in public_keys}
    return [record for record in known if record.key in wanted]


def _refuse_other(before: RequestRecord, names: tuple[str, ...], key_type: str | None, subject: str | None) -> None:
    others = [
        words
        for words, is_other in (
            (f"for {listed(before.names, 4)}", set(names) != set(before.names)),
            (f"with a key of type {before.key_type}", key_type is not None and key_type != before.key_type),
            (f"with the subject {before.subject or '(none)'}", subject is not None and subject != before.subject),
        )
        if is_other
    ]
    if others:
        raise AlreadyThere(
            f"The signing request {before.name} already exists, {' and '.join(others)}.",
            "A new request has a new key: a certificate issued for the old request cannot be used.",
            "If you no longer expect a certificate for it, add --replace. Or give the new request another name.",
            details={"needs": "replace", "domains": list(before.names)},
        )


def _shown(view: View, record: RequestRecord, *, is_new: bool = False) -> SigningRequest:
    is_lost = not requests.has_key(view.paths, record)
    lost = (
        ("Its private key is missing, so a certificate for it cannot be used. Create a new request.",)
        if is_lost
        else ()
    )
    return SigningRequest(
        name=record.name,
        domains=record.names,
        key_type=record.key_type,
        subject=record.subject,
        created=record.created,
        pem=record.csr,
        advice=(*lost, *advice(record.names)),
        is_new=is_new,
        is_lost=is_lost,
    )


def advice(names: Sequence[str]) -> tuple[str, ...]:
    """Return advice, as sentences, for a request with these names (A-labels, IP addresses). Pure."""
    found = [
        f"*.{bare} does not cover {bare} itself: request both, unless {bare} is not in use."
        for bare in bare_domains_missing(names)
    ]
    private = [problem for problem in (public_problem(parse_identifier(name)) for name in names) if problem]
    if private:
        found.append(f"{private[0]} A private CA can sign it.")
    return tuple(found)
