"""Plans the web settings of a web server: the files, the headers, and whether HSTS may be sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from core.config.model import TargetConfig
from core.errors import CertdeckError, WebNotPossible
from core.store.web import Applied
from core.targets.resolved import resolved
from core.web.blocks import holds, without
from core.web.headers import headers, hsts_value, next_stage
from core.web.servers import server_of
from core.web.wanted import Redirect, Rendered, Server, Wanted
from core.workflows.context import View
from core.workflows.web import files

OFF = "off"
_REACHED = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104
"""Address at which a listener on all addresses is reached."""


class Hsts(Struct, frozen=True, kw_only=True):
    """The header Strict-Transport-Security (RFC 6797 §6.1)."""

    value: str | None
    why: str = ""
    """Why no header is sent, or not the final value yet."""
    next_at: datetime | None = None


class Plan(Struct, frozen=True, kw_only=True):
    """The planned change. Texts have one character for each byte (`files.ENCODING`)."""

    server: Server
    found: Mapping[str, str]
    """Path → content of every configuration file that has a block of certdeck or will get one."""
    rendered: Mapping[str, Rendered]
    """The files that name the certificate."""
    hsts: Hsts
    wanted: Wanted

    @property
    def after(self) -> dict[str, str]:
        """Return the files that must change, with their new content."""
        new = {name: without(text, self.wanted.target) for name, text in self.found.items()}
        new |= {name: rendered.text for name, rendered in self.rendered.items()}
        return {name: text for name, text in new.items() if text != self.found[name]}

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(note for rendered in self.rendered.values() for note in rendered.notes))


def plan(view: View, configured: TargetConfig, applied: Applied | None, *, redirect: Redirect | None) -> Plan:
    """Return the change to make. Reads the configuration of the web server.

    Raises WebNotPossible (`web-not-possible`) if the target is not a web server, or no file of it uses the certificate.
    """
    target = resolved(configured)
    server = server_of(target)
    hsts = hsts_of(view, target, applied)
    wanted = wanted_of(target, hsts, redirect)
    texts = texts_of(target, applied)
    if server.spellings is not None:
        spelled = server.spellings(tuple(texts.values()), wanted.is_certificate, files.read_if_possible)
        wanted = replace(wanted, spellings=frozenset(spelled))
    rendered = {}
    for name, text in texts.items():
        new = server.render(without(text, target.name), wanted)
        if new is not None:
            rendered[name] = new
    if not rendered:
        looked = f"Checked: {', '.join(texts)}." if texts else "None of its configuration files was found."
        raise WebNotPossible(
            f"No configuration of {server.title} uses {target.certificate}.",
            looked if len(looked) < 500 else f"{len(texts)} files were checked.",
            f"Set that file in the configuration of {server.title}. If the configuration is not in the default "
            f"place, name it in the test command of the target {target.name}.",
            details={"target": target.name},
        )
    found = {name: text for name, text in texts.items() if name in rendered or holds(text, target.name)}
    return Plan(server=server, found=found, rendered=rendered, hsts=hsts, wanted=wanted)


def wanted_of(target: TargetConfig, hsts: Hsts, redirect: Redirect | None) -> Wanted:
    """Return the settings for the configuration of a resolved target. Raises WebNotPossible."""
    base = server_of(target).base
    return Wanted(
        target=target.name,
        certificate=_as_text(target.certificate),
        headers=headers(hsts.value),
        redirect=redirect,
        base=_as_text(str(base(target, files.read_if_possible))) if base is not None else "",
    )


def _as_text(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode(files.ENCODING)


def texts_of(target: TargetConfig, applied: Applied | None) -> dict[str, str]:
    """Return the content of the configuration files of a resolved target's web server, and of those that were changed before.

    Raises WebNotPossible.
    """
    texts: dict[str, str] = {}

    def read(path: Path) -> str | None:
        text = files.read_if_possible(path)
        if text is not None:
            texts[str(path)] = text
        return text

    server_of(target).files(target, read)
    for name in applied.files if applied else ():  # the server may no longer include it
        if name not in texts:
            read(Path(name))
    return texts


def hsts_of(view: View, target: TargetConfig, applied: Applied | None) -> Hsts:
    """Return the HSTS header for now. None is sent for an untrusted certificate: browsers would then let no user continue."""
    policy = view.config.web.hsts
    now = view.env.clock.now()
    since = applied.since if applied else now
    if policy == OFF:
        return Hsts(value=None, why="It is turned off: [web] hsts.")
    why = distrust(view, target)
    if why:
        return Hsts(value=None, why=why)
    next_at = next_stage(policy, since, now)
    rising = "It increases in stages, so that a mistake can still be undone." if next_at else ""
    return Hsts(value=hsts_value(policy, since, now), why=rising, next_at=next_at)


def distrust(view: View, target: TargetConfig) -> str:
    """Return why clients would not trust the target's current certificate, as one sentence. Empty: they trust it."""
    from core.workflows.uploading.trust import stores
    from core.x509.chain import split_fullchain
    from core.x509.path_building import build_path

    try:
        leaf, above = split_fullchain((files.read(Path(target.certificate)) or "").encode(files.ENCODING))
    except (ValueError, IndexError, CertdeckError):
        return "There is no certificate yet."
    if leaf.self_signed:
        return "The certificate is self-signed, and HSTS would lock users out."
    now = view.env.clock.now()
    if not leaf.not_before <= now < leaf.not_after:
        return "The certificate is not valid now, and HSTS would lock users out."
    way = build_path(leaf, above, stores(view, None), now)
    if not way.trusted_by or way.problem is not None:
        return "This box does not trust the certificate's issuer, and HSTS would lock users out."
    return ""


def own_redirect(view: View) -> Redirect | None:
    """Return the redirect with its exception for HTTP-01 challenges. None: HTTP-01 needs the port itself."""
    web, http01 = view.config.web, view.config.http01
    if http01.mode == "webroot" and http01.webroot:
        return Redirect(port=web.http_port, webroot=http01.webroot)
    if http01.port == web.http_port:
        return None
    host = _REACHED.get(http01.address, http01.address)
    return Redirect(port=web.http_port, upstream=f"{f'[{host}]' if ':' in host else host}:{http01.port}")
