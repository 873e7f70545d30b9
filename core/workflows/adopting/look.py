"""Reads the certificates of other clients, and describes each and what certdeck can take over. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from types import ModuleType

from msgspec import Struct
from msgspec.structs import replace

from core.adopt.found import FoundCertificate, closed, is_ours_alone, rebased
from core.adopt.launches import Launches
from core.adopt.reading import read_within
from core.adopt.reloads import reload_of
from core.adopt.search import CLIENTS, client_named, found_below, found_on, timers, way_of
from core.adopt.users import Configurations
from core.adopt.ways import Way
from core.adoption import Adoptable, OtherTimer, TheirHook
from core.concealed import Concealed
from core.config.model import Config
from core.errors import CertdeckError, NotFound, UsageError
from core.staging import is_staging_issuer
from core.store.versions import certificate_facts, leaf_sha256
from core.text import visible
from core.workflows.adopting.here import issuer_for, name_for, state_here
from core.workflows.context import View

_HOOK_CHARACTERS = 200


class Sight(Concealed, Struct, frozen=True, kw_only=True):
    """One certificate as read from its client's files, with its private key."""

    shown: Adoptable
    found: FoundCertificate
    way: Way = Way()
    fullchain: bytes = b""
    key: bytes = b""
    """PEM, as stored by the client. May be encrypted."""


def root_of(view: View, folder: Path | None) -> Path:
    """Return the root for absolute paths in the client's settings: `folder` if it is another system's root, else this system's."""
    if folder is not None and any(base.is_dir() for client in CLIENTS for base in client.bases(folder)):
        return folder
    return view.env.places.root


def sights(view: View, client: str | None, folder: Path | None) -> tuple[Sight, ...]:
    """Return every certificate that is found, each with a unique name.

    Raises UsageError for an unknown client; NotFound if `folder` is not a readable folder.
    """
    clients = _clients(client)
    if folder is not None:
        folder = folder.absolute()
        _check(folder)
    root = root_of(view, folder)
    every = found_below(folder, clients) if folder is not None else found_on(view.env.places.root)
    now = view.env.clock.now()
    services, launches = Configurations(root), Launches(root)
    seen = [
        _sight(root, each, now, view.config, services, launches)
        for each in every
        if client is None or each.client == client
    ]
    return tuple(_told_apart(view, seen))


def timers_for(view: View, folder: Path | None, found: Sequence[Adoptable]) -> tuple[OtherTimer, ...]:
    """Return the timers of the clients that were found, with the names that both would renew."""
    root = root_of(view, folder)
    ours: dict[str, list[str]] = {}
    for each in found:
        names = ours.setdefault(each.client, [])
        if each.state == "adopted" and each.issuer:
            names.append(each.name)
    return tuple(
        OtherTimer(client=client, file=runs.file, line=visible(runs.line), off=runs.off, names=tuple(names))
        for client, names in ours.items()
        for runs in timers(root, client)
    )


def closed_to_us(view: View, client: str | None, folder: Path | None) -> tuple[Path, ...]:
    """Return the folders that this user cannot read and that may contain certificates."""
    if folder is not None:
        places = [folder.absolute()]
    else:
        places = [base for each in _clients(client) for base in each.bases(view.env.places.root)]
    return tuple(dict.fromkeys(each for place in places for each in closed(place)))


def _clients(name: str | None) -> tuple[ModuleType, ...]:
    if name is None:
        return CLIENTS
    client = client_named(name)
    if client is None:
        known = ", ".join(each.NAME for each in CLIENTS)
        raise UsageError(
            f"{visible(name, 40)} is not an ACME client that certdeck supports.",
            "certdeck cannot read its files.",
            f"Supported clients: {known}.",
        )
    return (client,)


def _check(folder: Path) -> None:
    try:
        if not folder.is_dir():
            raise NotADirectoryError
        next(folder.iterdir(), None)
    except PermissionError as exc:
        raise NotFound(
            f"{visible(str(folder))} cannot be read.",
            "This user does not have permission to read it.",
            "Run the command as root.",
        ) from exc
    except (OSError, ValueError) as exc:
        raise NotFound(
            f"The folder {visible(str(folder))} does not exist.",
            "Nothing with that name exists, or it is not a folder.",
            "Give the folder of the other client, for example --dir /etc/letsencrypt.",
        ) from exc


def _sight(
    root: Path,
    found: FoundCertificate,
    now: datetime,
    config: Config,
    services: Configurations,
    launches: Launches,
) -> Sight:
    bare = Adoptable(
        name=name_for(found.name, ()),
        client=found.client,
        client_name=visible(found.name),
        path=found.certificate,
        revoked=found.revoked,
    )
    try:
        fullchain, key = _pair(found)
        facts = certificate_facts(fullchain)
    except OSError as exc:
        return _unusable(
            bare,
            found,
            f"Its files cannot be read: {visible(exc.strerror or str(exc))}.",
            "Fix or remove that entry; the others are not affected.",
        )
    except ValueError as exc:
        return _unusable(
            bare,
            found,
            f"{visible(str(found.certificate))} is not a certificate. {visible(str(exc))}",
            "Fix or remove that entry; the others are not affected.",
        )
    try:
        way = way_of(root, found, launches)
    except (OSError, ValueError) as exc:
        way = Way(notes=(f"Its settings cannot be read: {visible(str(exc))}",))
    issuer, directory, is_new = issuer_for(config, way)
    shown = replace(
        bare,
        name=name_for(found.name, facts.names),
        names=facts.names,
        not_before=facts.not_before,
        not_after=facts.not_after,
        key_type=facts.key_type,
        sha256=facts.sha256,
        issued_by=facts.issuer,
        directory=visible(directory),
        issuer=issuer,
        is_new_issuer=is_new,
        is_staging=is_staging_issuer(facts.issuer) or "staging" in issuer,
        account=way.account_key if way.account_key is not None and way.account_key.is_file() else None,
        account_url=visible(way.account_url),
        challenge=way.challenge,
        webroots=tuple(map(visible, way.webroots)),
        dns=way.dns.kind if way.dns else "",
        dns_name=visible(way.dns_name),
        hooks=tuple(_hook(each.kind, each.text) for each in way.hooks),
        used_by=tuple(_used_by(root, found, way, facts.sha256, services)),
        expired=facts.not_after <= now,
        notes=tuple(map(visible, (*way.notes, *_differing(way, facts.names), *_open_to_others(found)))),
    )
    sight = Sight(shown=shown, found=found, way=way, fullchain=fullchain, key=key)
    problem = _key_problem(sight)
    return _unusable(shown, found, *problem, sight) if problem else sight


def _pair(found: FoundCertificate) -> tuple[bytes, bytes]:
    """Read certificate and key. Read them again if a renewal changed them in between, because no client locks readers out."""
    fullchain, key = _read(found)
    if leaf_sha256(read_within(found.base, found.certificate)) != leaf_sha256(fullchain):
        fullchain, key = _read(found)
    return fullchain, key


def _read(found: FoundCertificate) -> tuple[bytes, bytes]:
    fullchain = read_within(found.base, found.certificate)
    try:
        return fullchain, read_within(found.base, found.key) if found.key is not None else b""
    except FileNotFoundError:
        return fullchain, b""


def _key_problem(sight: Sight) -> tuple[str, str] | None:
    from core.x509.pair import pair_problem

    if not sight.key:
        return (
            "The client has no private key for it.",
            "Renew it with that client, or order a new one here: certdeck issue",
        )
    if b"ENCRYPTED" in sight.key:
        return None  # adopting asks for its passphrase
    problem = pair_problem(sight.fullchain, sight.key)
    return (problem, "Renew it with that client, or order a new one here: certdeck issue") if problem else None


def _unusable(shown: Adoptable, found: FoundCertificate, problem: str, fix: str, sight: Sight | None = None) -> Sight:
    shown = replace(shown, state="unusable", problem=problem, fix=fix)
    return Sight(shown=shown, found=found) if sight is None else replace(sight, shown=shown)


def _hook(kind: str, text: str) -> TheirHook:
    known = reload_of(text) if kind in ("deploy", "reload", "post") else None
    return TheirHook(
        kind=kind, text=visible(text, _HOOK_CHARACTERS), reload="" if known is None else " ".join(known.command)
    )


def _differing(way: Way, names: Sequence[str]) -> Iterator[str]:
    if way.wanted_names and set(way.wanted_names) != set(names):
        yield f"Its client would order different names next time: {', '.join(way.wanted_names[:20])}."


def _open_to_others(found: FoundCertificate) -> Iterator[str]:
    if not is_ours_alone(found):
        yield "Another user can change these files. Check them, then give the name of this certificate; --all skips it."


def _used_by(root: Path, found: FoundCertificate, way: Way, sha256: str, services: Configurations) -> Iterator[str]:
    places = [_inside(root, found.certificate.parent)]
    if way.installed is not None:
        try:
            path = rebased(root, way.installed.certificate)
            if leaf_sha256(read_within(path.parent, path)) == sha256:
                places.append(way.installed.certificate)
                yield visible(str(path))
        except (OSError, ValueError):
            pass
    for file in services.naming([f"{each}/" if each == places[0] else each for each in places]):
        yield visible(str(file))


def _inside(root: Path, path: Path) -> str:
    """Return a path as the services of that system see it, without the other root."""
    return f"/{path.relative_to(root)}" if path.is_relative_to(root) else str(path)


def _told_apart(view: View, seen: Sequence[Sight]) -> Iterator[Sight]:
    """Make the names unique: append the client's name, the kind of key or a number to duplicates.

    Of an RSA and an EC certificate with the same name, the EC one keeps the plain name.
    """
    order = sorted(seen, key=lambda each: each.shown.key_type.startswith("rsa"))
    names = [each.shown.name for each in order]
    clients = {name: {each.shown.client for each in seen if each.shown.name == name} for name in set(names)}
    given: dict[int, str] = {}
    taken = {name for name in names if names.count(name) == 1}
    for each in order:
        name = base = each.shown.name
        if names.count(base) > 1:
            name = f"{base}-{each.shown.client}" if len(clients[base]) > 1 else base
            kind, number = each.shown.key_type.partition("-")[0] or "other", 2
            if name in taken:
                name = f"{name}-{kind}"
            while name in taken:
                name, number = f"{base}-{number}", number + 1
            taken.add(name)
        given[id(each)] = name
    for each in seen:
        shown = replace(each.shown, name=given[id(each)])
        if shown.state == "new":
            try:
                shown = replace(shown, state=state_here(view, shown.name, shown.sha256))
            except CertdeckError:
                shown = replace(shown, state="taken")
        yield replace(each, shown=shown)
