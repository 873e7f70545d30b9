"""Checks port 80: which program uses it, and whether every address of every name serves a challenge file of this box.

During the check, `/.well-known/acme-challenge/test.txt` is served in the way that an order would use: by certdeck's own listener,
or from the webroot.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.challenges.http01 import PREFIX, READY
from core.challenges.validator import Seen, look
from core.concurrently import map_concurrently
from core.dns.authority import Authority
from core.errors import CertdeckError, PortUnavailable
from core.operations import Finding
from core.ports import HttpHandler, HttpReply, HttpRequest
from core.regular import read_without_waking
from core.text import safe_line
from core.workflows.context import Context
from core.workflows.doctoring.naming import addresses_of, inner_kind
from core.workflows.doctoring.running import failed
from core.workflows.issuing.plan import Plan

FILE = "test.txt"
MOST_NAMES = 20
"""Most names to request: further names are usually on the same web server."""
MOST_ADDRESSES = 8
"""Most addresses of one name to request."""
AT_ONCE = 8
_CONTENT = re.compile(re.escape(READY) + rb"\n[0-9a-f]{24}\n")


def port80(context: Context, wanted: Plan | None, authority: Authority) -> Iterator[Finding]:
    """Yield whether this box can respond to HTTP-01. With a plan, also request the file from every address of its names."""
    http01 = context.config.http01
    content = READY + b"\n" + context.env.random.token_bytes(12).hex().encode() + b"\n"
    with contextlib.ExitStack() as stack:
        if http01.mode == "webroot":
            finding = _webroot(http01.webroot)
            yield finding
            yield from _holders(context)
            if finding.status != "pass" or wanted is None:
                return
            try:
                name = stack.enter_context(file_in(context, Path(http01.webroot or ""), content))
            except CertdeckError as exc:
                yield failed("webroot", "Webroot", exc)
                return
        else:
            name = FILE
            try:
                stack.enter_context(context.env.listener.listen(http01.address, http01.port, _answering(content)))
            except PortUnavailable as exc:
                yield failed("http01-port", "HTTP-01 port", exc)
                return
            yield Finding(
                id="http01-port", status="pass", title="HTTP-01 port", detail=f"{http01.address}:{http01.port} is free"
            )
        if wanted is not None:
            yield from _asked(context, wanted, authority, PREFIX + name, content)


def _asked(context: Context, wanted: Plan, authority: Authority, path: str, content: bytes) -> Iterator[Finding]:
    """Request the file under each name, from each of its addresses."""
    own = set(context.env.host.addresses())

    def addresses(name: str) -> tuple[str, ...]:
        found = addresses_of(authority, context.env.host, name)[0]
        if not found and not wanted.issuer.is_public:
            found = tuple(context.env.host.resolve(name))
        usable = found if not wanted.issuer.is_public else tuple(one for one in found if not inner_kind(one))
        return usable[:MOST_ADDRESSES]

    def seen(question: tuple[str, str]) -> Seen:
        name, address = question
        return look(context.env.web_reader, name, path, address, resolve=addresses, cancel=context.cancel)

    names = wanted.names[:MOST_NAMES]
    found = map_concurrently(addresses, names, at_once=AT_ONCE)
    questions = [(name, address) for name, several in zip(names, found, strict=True) for address in several]
    answers = map_concurrently(seen, questions, at_once=AT_ONCE)
    if len(wanted.names) > len(names):
        yield Finding(
            id="http01-request",
            status="skip",
            title="HTTP-01",
            detail=f"the first {len(names)} of {len(wanted.names)} names were checked for the challenge file",
        )
    for (name, address), answer in zip(questions, answers, strict=True):
        yield judged(name, answer, content, is_own=address in own, is_public=wanted.issuer.is_public)


def judged(name: str, seen: Seen, content: bytes, *, is_own: bool, is_public: bool) -> Finding:
    """Return what a response means for an order. Pure.

    Args:
        is_own: the address belongs to this box, so a CA sees the same. Through a router, that is not certain.
        is_public: the issuer validates over the internet, and therefore on port 80.
    """
    version = ipaddress.ip_address(seen.address).version
    title = f"{name} over IPv{version}"
    if seen.body is not None and seen.body.strip() == content.strip():
        along = (
            f", through {len(seen.hops) - 1} redirects to {safe_line(seen.hops[-1], 150)}" if len(seen.hops) > 1 else ""
        )
        detail = f"{seen.address} serves the challenge file of this box on port 80{along}"
        return Finding(id="http01-request", status="pass", title=title, detail=detail)
    if seen.is_refused:
        return Finding(
            id="http01-redirect",
            status="fail" if is_public else "warn",
            title=title,
            detail=f"{seen.address} does not serve the challenge file. {seen.failure}",
            why="The CA stops there, and validation fails.",
            fix=f"Serve {PREFIX} on that web server without a redirect (for the configuration, run `certdeck snippet`).",
        )
    certain = "fail" if is_own and is_public else "warn"
    from_inside = (
        ""
        if is_own
        else " This check ran from inside the network, and some routers forward only "
        "from outside. Run `certdeck doctor --listen` and open the URL from another network."
    )
    if not seen.status:
        return Finding(
            id="http01-request",
            status=certain,
            title=title,
            detail=f"no response on port 80: {seen.failure}",
            why="A CA connects to every name on port 80, first over IPv6 if there is an AAAA record.",
            fix=f"Open port 80 for {seen.address} in the firewall and forward it to this box, or correct the record.{from_inside}",
        )
    words = f"HTTP {seen.status}" if seen.body is None else "other content"
    return Finding(
        id="http01-request",
        status=certain,
        title=title,
        detail=f"{seen.address} returns {words} for {safe_line(seen.hops[-1], 150)}, not the challenge file of this box",
        why="Another web server or another machine responds there.",
        fix=f"Let that server pass {PREFIX} on to certdeck (for the configuration, run `certdeck snippet`), or "
        f"correct the record.{from_inside}",
    )


def _answering(content: bytes) -> HttpHandler:
    def answer(request: HttpRequest) -> HttpReply:
        return HttpReply(status=200, body=content) if request.path == PREFIX + FILE else HttpReply(status=404)

    return answer


def _webroot(webroot: str | None) -> Finding:
    if webroot and os.path.isdir(webroot) and os.access(webroot, os.W_OK | os.X_OK):
        return Finding(id="webroot", status="pass", title="Webroot", detail=f"{webroot} is writable")
    return Finding(
        id="webroot",
        status="fail",
        title="Webroot",
        detail=f"{webroot or '(none)'} is not a writable folder",
        fix="Set webroot in [http01] to the folder that your web server serves on port 80.",
    )


def _holders(context: Context) -> Iterator[Finding]:
    """Yield which program listens on port 80, and on which addresses. With a webroot, a web server has to."""
    holders: Sequence[str] = context.env.host.listening(80)
    if holders:
        yield Finding(id="http01-port", status="pass", title="Port 80", detail="; ".join(dict.fromkeys(holders)))
        return
    yield Finding(
        id="http01-port",
        status="warn",
        title="Port 80",
        detail="no program listens on port 80 of this box",
        why="The webroot must be served by a web server on port 80.",
        fix='Start the web server, or set mode = "standalone" in [http01]. '
        "This is correct if another machine forwards port 80 to this box.",
    )


@contextlib.contextmanager
def file_in(context: Context, webroot: Path, content: bytes) -> Iterator[str]:
    """Create the file in the webroot and yield its name: `test.txt`, or another name if a foreign `test.txt` exists.

    Raises ChallengeError.
    """
    from core.acme.authorization import Challenge
    from core.challenges.webroot import FOLDERS, Webroot

    there = webroot.joinpath(*FOLDERS, FILE)
    is_taken = os.path.lexists(there) and not _is_left_over(there)
    name = f"certdeck-test-{context.env.random.token_bytes(8).hex()}" if is_taken else FILE
    challenge = Challenge(
        identifier="",
        wildcard=False,
        type="http-01",
        status="pending",
        url="",
        token=name,
        key_authorization=content.decode(),
    )
    with Webroot(webroot).present([challenge], context.narrator, context.cancel):
        yield name


def _is_left_over(file: Path) -> bool:
    """Tell whether the file is a leftover of a killed doctor: no other program writes that content."""
    try:
        return _CONTENT.fullmatch(read_without_waking(file, 200)) is not None
    except OSError:
        return False
