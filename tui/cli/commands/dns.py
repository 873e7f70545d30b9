"""`certdeck dns …`: DNS providers whose API sets the records of challenges, so that certificates renew automatically."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from msgspec.structs import replace

from core.config.model import DnsProviderConfig
from core.errors import NotFound, UsageError
from core.events import ProviderTested, Report
from tui.cli import exits
from tui.cli.entry_arguments import ask_secret, merged, secrets_from, settings_from, several
from tui.cli.parser import Command, name_argument
from tui.glyphs import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.operations import DnsKind, DnsProviderInfo
    from tui.cli.call import Call

_TRIES = 3


# -- add ---------------------------------------------------------------------------------------------------------------


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="name of the entry")

    parser.add_argument("--kind", metavar="KIND", help="the provider (`certdeck dns kinds`)")
    several(parser, "--zone", "ZONE", "its zones, e.g. example.com (default: detected)")
    several(parser, "--set", "KEY=VALUE", "a setting; an empty VALUE removes it")
    several(parser, "--secret", "KEY=FILE", "file with a secret; - is standard input")
    several(
        parser, "--delegate", "DOMAIN=NAME", "the CNAME target of DOMAIN's record, if this box cannot see the CNAME"
    )
    parser.add_argument("--replace", action="store_true", help="change an existing entry; other settings stay")


def _add(call: Call) -> int:
    args = call.args
    had = call.engine.config().dns_providers.get(args.name)
    if had is not None and not args.replace:
        raise UsageError(
            f"The DNS provider {printable(args.name)} already exists.",
            f"Its kind is {printable(had.kind)}.",
            "To change it, add --replace: other settings stay. Or choose another name.",
            details={"needs": "replace"},
        )
    try:
        kind = call.engine.dns_kind(_kind_name(args, had))
    except NotFound as exc:  # a wrong kind is a wrong argument, not a missing entry
        raise UsageError(exc.what, exc.why, exc.fix) from exc
    config = _changed(had or DnsProviderConfig(name=args.name, kind=kind.name), kind, args)
    secrets = secrets_from(args.secret, kind)
    if had is None and not secrets and call.can_ask and not call.engine.check_dns_provider(config, {}):
        secrets = _optional_secrets(call, kind)
    entry = _kept(call, config, kind, secrets)
    from tui.cli.dns_text import added_lines
    from tui.cli.entries_json import dns_provider_json

    call.result({**dns_provider_json(entry), "changed": True}, added_lines(entry, kind))
    return exits.DONE


def _changed(had: DnsProviderConfig, kind: DnsKind, args: argparse.Namespace) -> DnsProviderConfig:
    """Return an entry changed by the arguments, without settings of another kind. Raises UsageError (`usage`)."""
    before = had.settings if had.kind == kind.name else {}
    return replace(
        had,
        kind=kind.name,
        zones=tuple(args.zone) or had.zones,
        settings=merged("setting", before, settings_from(args.set, kind)),
        delegations=merged("delegation of", had.delegations, _delegations(args.delegate)),
    )


def _kind_name(args: argparse.Namespace, had: DnsProviderConfig | None) -> str:
    if args.kind is None and had is None:
        raise UsageError(
            f"A new DNS provider needs --kind: {printable(args.name)}.",
            "Each provider has its own settings and secrets.",
            "`certdeck dns kinds` lists them.",
        )
    return str(args.kind or (had.kind if had else ""))


def _delegations(pairs: Sequence[str]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        domain, is_pair, target = pair.partition("=")
        if not domain or not is_pair:
            raise UsageError(
                "--delegate requires DOMAIN=NAME.",
                f"{printable(pair)} does not have this form.",
                "For example: --delegate www.example.com=www.validation.example.net.",
            )
        found[domain] = target
    return found


def _optional_secrets(call: Call, kind: DnsKind) -> dict[str, bytes]:
    """Ask for the secrets of a kind without required secrets, such as those of dns-lexicon."""
    fields = [field for field in kind.fields if field.secret]
    if any(field.required for field in fields):
        return {}
    asked = {field.key: ask_secret(call, field, optional=True) for field in fields}
    return {key: secret for key, secret in asked.items() if secret}


def _kept(call: Call, config: DnsProviderConfig, kind: DnsKind, secrets: dict[str, bytes]) -> DnsProviderInfo:
    """Save the entry. On a terminal, ask for missing secrets."""
    from_files = set(secrets)
    for is_last in (False,) * _TRIES + (True,):
        try:
            with call.working(tell=False) as report:
                return call.engine.add_dns_provider(config, secrets, replace=call.args.replace, report=report)
        except UsageError as exc:
            wrong = _wrong_secrets(exc, kind)
            if not wrong:
                raise
            if is_last or not call.can_ask or from_files & set(wrong):
                missing = [key for key in wrong if key not in secrets]
                if not missing:
                    raise
                raise _unasked(exc, kind, missing) from exc
            for field in kind.fields:
                if field.key in wrong:
                    if field.key in secrets:
                        call.output.err.line(printable(f"{field.label}: {wrong[field.key]}"))
                    secrets[field.key] = ask_secret(call, field)
    raise AssertionError("unreachable")


def _wrong_secrets(error: UsageError, kind: DnsKind) -> Mapping[str, str]:
    """Return the problems with secrets, by key. Empty if there are other problems too."""
    problems = error.details.get("problems")
    keys = {field.key for field in kind.fields if field.secret}
    return problems if isinstance(problems, dict) and problems and keys.issuperset(problems) else {}


def _unasked(error: UsageError, kind: DnsKind, missing: Sequence[str]) -> UsageError:
    """Return the error that names the options for missing secrets, for use without a terminal."""
    options = " ".join(f"--secret {key}=FILE" for key in missing)
    more = f"See `certdeck dns kinds {printable(kind.name)}`."
    return UsageError(
        error.what,
        error.why,
        f"Add {options}, where FILE contains the secret and - is standard input. {more}",
        details=error.details,
    )


# -- list, kinds, remove -----------------------------------------------------------------------------------------------


def _list(call: Call) -> int:
    from tui.cli.dns_text import provider_lines
    from tui.cli.entries_json import dns_provider_json

    entries = call.engine.dns_providers()
    call.result({"providers": [dns_provider_json(each) for each in entries]}, provider_lines(entries))
    return exits.DONE


def _kinds_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", metavar="KIND", nargs="?", help="show only this kind, in detail")


def _kinds(call: Call) -> int:
    from tui.cli.dns_text import kind_lines, kinds_lines
    from tui.cli.entries_json import dns_kind_json

    if call.args.kind is not None:
        kind = call.engine.dns_kind(call.args.kind)
        call.result(dns_kind_json(kind), kind_lines(kind))
        return exits.DONE
    kinds, lexicon = call.engine.dns_kinds(), call.engine.lexicon_providers()
    value = {"kinds": [dns_kind_json(each) for each in kinds], "lexicon": list(lexicon)}
    call.result(value, kinds_lines(kinds, lexicon))
    return exits.DONE


def _remove(call: Call) -> int:
    with call.working(tell=False) as report:
        call.engine.remove_dns_provider(call.args.name, report=report)
    said = f"Removed {printable(call.args.name)} and its secrets."
    call.result({"name": call.args.name, "changed": True}, [said])
    return exits.DONE


# -- test --------------------------------------------------------------------------------------------------------------


def _test_arguments(parser: argparse.ArgumentParser) -> None:
    name_argument(parser)
    parser.add_argument(
        "--domain", metavar="DOMAIN", help="create the test record for this domain (default: its first zone)"
    )


def _test(call: Call) -> int:
    from tui.cli.dns_text import step_line, tested_lines
    from tui.cli.jsonout import dns_test_json

    out = call.output.out
    is_live = out.is_terminal and not call.wants_json
    with call.working() as report:

        def tell(told: Report) -> None:
            event = told.event
            if not isinstance(event, ProviderTested) or call.wants_json:
                report(told)
            elif is_live:
                out.line(step_line(event.step, event.status, event.detail, event.milliseconds, out))
                out.finish()

        test = call.engine.test_dns_provider(call.args.name, domain=call.args.domain, report=tell, cancel=call.cancel)
    call.result(dns_test_json(test), tested_lines(test, out, steps=not is_live))
    return exits.DONE if test.is_good else exits.FAILED


COMMANDS = (
    Command(words="dns list", run=_list, examples=("dns list",)),
    Command(
        words="dns kinds",
        arguments=_kinds_arguments,
        run=_kinds,
        examples=("dns kinds", "dns kinds cloudflare"),
    ),
    Command(
        words="dns add",
        arguments=_add_arguments,
        run=_add,
        examples=(
            "dns add cf --kind cloudflare --zone example.com --secret api_token=token.txt",
            "dns add ns --kind rfc2136 --zone example.com --set server=192.0.2.53 tsig_name=box --secret tsig_secret=-",
            "dns add cf --replace --secret api_token=new.txt    # a new token, everything else stays",
        ),
        notes="Secrets are stored in the vault. certdeck asks for missing ones; they are never arguments.",
    ),
    Command(
        words="dns test",
        arguments=_test_arguments,
        run=_test,
        examples=("dns test cf", "dns test cf --domain www.example.com"),
        notes="Creates a random TXT record, waits until all name servers of the zone have it, and removes it.",
    ),
    Command(
        words="dns remove",
        arguments=name_argument,
        run=_remove,
        examples=("dns remove cf",),
        notes="Refused while a certificate or an open order uses it for validation.",
    ),
)
