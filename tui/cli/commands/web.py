"""`certdeck web …`: TLS settings, security headers and the redirect of a web server."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui.cli import exits
from tui.cli.jsonout import fields, rfc3339
from tui.cli.parser import Command
from tui.glyphs import printable
from tui.wording import text
from tui.wording.web import REDIRECTS, STATES, headers_words

if TYPE_CHECKING:
    from core.web.shown import WebState
    from tui.cli.call import Call


def _target(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="TARGET")


def _show(call: Call) -> int:
    with call.working(tell=False):
        state = call.engine.web(call.args.target)
    call.result(_json(state), [*_lines(state, with_text=True)])
    return exits.DONE


def _apply(call: Call) -> int:
    with call.working() as report:
        state = call.engine.apply_web(call.args.target, report=report, cancel=call.cancel)
    call.result(_json(state), [*_lines(state, with_text=False)])
    return exits.DONE


def _remove(call: Call) -> int:
    with call.working() as report:
        files = call.engine.remove_web(call.args.target, report=report, cancel=call.cancel)
    name = printable(call.args.target)
    said = [f"Removed the web settings of {name} from {printable(path)}." for path in files]
    call.result(
        {"target": call.args.target, "changed": bool(files), "files": list(files)},
        said or [f"{name} has no web settings."],
    )
    return exits.DONE


def _json(state: WebState) -> dict[str, object]:
    value = fields(state)
    value["hsts_next"] = rfc3339(state.hsts_next) if state.hsts_next else None
    value["files"] = [fields(each) for each in state.files]
    value["listeners"] = [
        {**fields(each), "headers": [fields(header) for header in each.headers]} for each in state.listeners
    ]
    return value


def _lines(state: WebState, *, with_text: bool) -> Iterator[str]:
    yield f"{printable(state.target)} ({state.server}): {STATES[state.state]}"
    for each in state.files:
        if with_text:
            yield ""
        yield f"{printable(each.path)}{'' if with_text or each.applied else ' (to be changed)'}"
        if with_text:
            yield from (f"  {printable(line)}" for line in each.lines)
    yield ""
    yield f"HSTS: {state.hsts or 'not sent'}. {state.hsts_why}".rstrip()
    if state.hsts_next is not None:
        yield f"The next value is set on {text.day(state.hsts_next)}, with a scheduled run."
    yield f"Plain HTTP {REDIRECTS[state.redirect]}."
    for listener in state.listeners:
        if listener.failure is not None:
            yield f"{listener.address}: {printable(listener.failure)}"
        else:
            yield f"{listener.address}: {headers_words(listener)}"
    yield from (f"Note: {printable(note)}" for note in state.notes)


COMMANDS = (
    Command(
        words="web show",
        arguments=_target,
        run=_show,
        examples=("web show web",),
        notes="Shows the lines for the configuration, and what the server sends now. Changes nothing.",
    ),
    Command(
        words="web apply",
        arguments=_target,
        run=_apply,
        examples=("web apply web",),
        notes="For nginx, Apache httpd, HAProxy and Caddy. The configuration is tested and reloaded; if that fails, or if the "
        "server no longer responds, it is restored. [web] in certdeck.toml has hsts, redirect and http_port.",
    ),
    Command(words="web remove", arguments=_target, run=_remove, examples=("web remove web",)),
)
