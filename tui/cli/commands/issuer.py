"""`certdeck issuer …`: the CAs that can issue certificates."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from msgspec.structs import replace

from core.config.model import IssuerConfig
from tui.cli import exits
from tui.cli.issuer_text import VALIDATION_NOTE, compared_lines, shown_lines
from tui.cli.jsonout import fields
from tui.cli.parser import Command
from tui.cli.tables import labelled, table
from tui.glyphs import printable
from tui.wording.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.operations import IssuerTest
    from tui.cli.call import Call


def _name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="ISSUER")


def _list(call: Call) -> int:
    issuers = call.engine.issuers()
    rows = [
        [
            "*" if issuer.is_default else "",
            printable(issuer.name),
            printable(issuer.title),
            "yes" if issuer.account_url else "",
            "yes" if issuer.needs_eab else "",
            printable(issuer.directory or "on this box"),
        ]
        for issuer in issuers
    ]
    lines = table(["", "NAME", "TITLE", "ACCOUNT", "EAB", "DIRECTORY"], rows)
    call.result({"issuers": [fields(issuer) for issuer in issuers]}, lines)
    return exits.DONE


def _show(call: Call) -> int:
    found = call.engine.issuer(call.args.name)
    shown = {
        **fields(found.issuer),
        "limits_as_of": found.limits_as_of or None,
        "limits": [fields(each) for each in found.limits],
        "closed": [fields(each) for each in found.closed],
        "counts": "only this box",
    }
    call.result(shown, shown_lines(found))
    return exits.DONE


def _compare(call: Call) -> int:
    found = call.engine.compare_issuers()
    call.result({"issuers": [fields(each) for each in found]}, compared_lines(found))
    return exits.DONE


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    _name(parser)
    parser.add_argument(
        "--directory", metavar="URL", help="URL of its ACME directory; omit it to change a built-in issuer"
    )
    parser.add_argument("--title", metavar="TEXT", help="title for display")
    parser.add_argument("--ca-bundle", metavar="FILE", help="extra trust for the directory's own HTTPS")
    parser.add_argument("--email", metavar="ADDRESS", help="contact of the account")
    parser.add_argument("--profile", metavar="PROFILE", help="the profile to order with")
    parser.add_argument("--preferred-chain", metavar="NAME", help="common name of the root to prefer")
    parser.add_argument(
        "--common-name", action="store_true", help="put a common name into requests; some private CAs require it"
    )
    parser.add_argument("--staging", metavar="ISSUER", help="the issuer for rehearsals")
    parser.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="LIMIT=NUMBER/TIME",
        help="count this box's use of a limit of the CA, for example orders=300/3h; also certificates_per_domain, "
        "certificates_per_name_set, failed_authorizations; time in m, h, d or w; repeatable",
    )
    parser.add_argument("--agree-tos", action="store_true", help="accept its terms of service")


def _add(call: Call) -> int:
    args = call.args
    had = call.engine.config().issuers.get(args.name, IssuerConfig())
    config = replace(
        had,
        directory=args.directory or had.directory,
        title=args.title or had.title,
        ca_bundle=args.ca_bundle or had.ca_bundle,
        email=args.email or had.email,
        agree_tos=args.agree_tos or had.agree_tos,
        profile=args.profile or had.profile,
        preferred_chain=args.preferred_chain or had.preferred_chain,
        common_name=args.common_name or had.common_name,
        staging=args.staging or had.staging,
        limits=dict(map(_limit, args.limit)) or had.limits,
    )
    with call.working(tell=False):
        call.engine.add_issuer(args.name, config)
    return _changed(call, f"{printable(args.name)} is set. `certdeck issuer test {printable(args.name)}` tests it.")


def _limit(given: str) -> tuple[str, str]:
    key, _, value = given.partition("=")
    return key.strip(), value.strip()


def _remove(call: Call) -> int:
    with call.working(tell=False):
        call.engine.remove_issuer(call.args.name)
    return _changed(call, f"Removed {printable(call.args.name)}.")


def _default(call: Call) -> int:
    with call.working(tell=False):
        others = call.engine.set_default_issuer(call.args.name)
    lines = [f"New certificates come from {printable(call.args.name)}."]
    if others:
        listed = " ".join(map(printable, others))
        one = len(others) == 1
        lines.append(f"{plural(len(others), 'certificate')} {'keeps its' if one else 'keep their'} issuer: {listed}")
        lines.append(f"To change {'it' if one else 'them'}: certdeck set {listed} --issuer {printable(call.args.name)}")
    call.result({"name": call.args.name, "changed": True, "unchanged": list(others)}, lines)
    return exits.DONE


def _agree(call: Call) -> int:
    with call.working(tell=False):
        call.engine.agree_terms(call.args.name)
    return _changed(call, f"Accepted the terms of service of {printable(call.args.name)}.")


def _changed(call: Call, said: str) -> int:
    call.result({"name": call.args.name, "changed": True}, [said])
    return exits.DONE


def _test(call: Call) -> int:
    with call.working(tell=False):
        found = call.engine.test_issuer(call.args.name, cancel=call.cancel)
    call.result({**fields(found), "missing": [fields(each) for each in found.missing]}, _test_lines(found))
    return exits.DONE


def _test_lines(found: IssuerTest) -> Iterator[str]:
    yield f"{printable(found.name)} responds in {found.milliseconds} ms."
    skew = found.clock_skew_seconds
    profiles = "\n".join(f"{printable(name)}: {printable(words)}" for name, words in found.profiles.items())
    yield from labelled(
        [
            ("Directory", printable(found.directory)),
            ("Terms", printable(found.terms_of_service or "none")),
            ("Website", printable(found.website or "–")),
            ("CAA names", printable(", ".join(found.caa_identities) or "–")),
            ("EAB", "needed: `certdeck account eab`" if found.eab_required else "not needed"),
            ("Profiles", profiles or "–"),
            ("Renewal information", "yes (ARI)" if found.ari else "no"),
            (
                "Still missing",
                "\n".join(f"{printable(each.detail)}. {printable(each.fix)}" for each in found.missing) or "nothing",
            ),
            (
                "Clock",
                "unknown" if skew is None else "right" if abs(skew) < 5 else f"{skew:+} s from the CA's",
            ),
        ]
    )


def _root(call: Call) -> int:
    with call.working(tell=False):
        pem = call.engine.export_ca_root().decode("ascii")
    call.result({"pem": pem}, pem.splitlines())
    return exits.DONE


COMMANDS = (
    Command(words="issuer list", run=_list, examples=("issuer list",), notes="* is the default."),
    Command(
        words="issuer show",
        arguments=_name,
        run=_show,
        examples=("issuer show letsencrypt",),
        notes="This box counts only its own orders; the CA also counts those of other machines.",
    ),
    Command(
        words="issuer compare",
        run=_compare,
        examples=("issuer compare", "issuer compare --json"),
        notes=VALIDATION_NOTE,
    ),
    Command(
        words="issuer add",
        arguments=_add_arguments,
        run=_add,
        examples=(
            "issuer add corp --directory https://ca.corp.example/acme/directory --ca-bundle /etc/ssl/corp.pem",
            "issuer add letsencrypt --email admin@example.com    # change a built-in one",
        ),
    ),
    Command(words="issuer remove", arguments=_name, run=_remove, examples=("issuer remove corp",)),
    Command(
        words="issuer default",
        arguments=_name,
        run=_default,
        examples=("issuer default zerossl",),
        notes="For new certificates. Existing certificates keep their issuer and are listed; to change it, run\n"
        "`certdeck set NAME --issuer ISSUER`.",
    ),
    Command(words="issuer test", arguments=_name, run=_test, examples=("issuer test letsencrypt",)),
    Command(
        words="issuer agree",
        arguments=_name,
        run=_agree,
        examples=("issuer agree letsencrypt",),
        notes="`certdeck issuer test ISSUER` shows where the terms are.",
    ),
    Command(
        words="issuer root",
        run=_root,
        examples=("issuer root > root.pem    # for the trust store of the clients",),
    ),
)
