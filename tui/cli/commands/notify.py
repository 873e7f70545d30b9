"""`certdeck notify …`: notifications about a failed renewal, a service with another certificate, or a missed run."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from msgspec.structs import replace

from core.config.model import NotificationConfig
from core.errors import NotFound, UsageError
from tui.cli import exits
from tui.cli.entry_arguments import ask_secret, merged, secrets_from, settings_from, several
from tui.cli.parser import Command, name_argument
from tui.glyphs import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.notifications import NotificationInfo, NotificationKind
    from tui.cli.call import Call


# -- add ---------------------------------------------------------------------------------------------------------------


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="name of the entry")
    parser.add_argument("--kind", metavar="KIND", help="smtp, webhook or apprise (`certdeck notify kinds`)")

    several(parser, "--set", "KEY=VALUE", "a setting; an empty VALUE removes it")
    several(parser, "--secret", "KEY=FILE", "file with a secret; - is standard input")
    several(parser, "--on", "EVENT", "only these events; `all` for every event (default)")
    parser.add_argument("--replace", action="store_true", help="change an existing entry; other settings stay")


def _add(call: Call) -> int:
    args = call.args
    had = call.engine.config().notifications.get(args.name)
    if had is not None and not args.replace:
        raise UsageError(
            f"The notification {printable(args.name)} already exists.",
            f"Its kind is {printable(had.kind)}.",
            "To change it, add --replace: other settings stay. Or choose another name.",
            details={"needs": "replace"},
        )
    kind = _kind(call, args.kind or (had.kind if had else None))
    before = had if had is not None else NotificationConfig(name=args.name, kind=kind.name)
    on = () if "all" in args.on else tuple(args.on) or before.on
    config = replace(before, kind=kind.name, on=on, settings=_settings(before, kind, args))
    secrets = secrets_from(args.secret, kind)
    secrets |= _asked(call, config, kind, secrets)
    with call.working(tell=False) as report:
        entry = call.engine.add_notification(config, secrets, replace=args.replace, report=report)
    from tui.cli.entries_json import notification_json
    from tui.cli.notify_text import added_lines

    call.result({**notification_json(entry), "changed": True}, added_lines(entry, kind))
    return exits.DONE


def _kind(call: Call, name: str | None) -> NotificationKind:
    """Return the kind. Raises UsageError (`usage`): a wrong kind is a wrong argument, not a missing entry."""
    kinds = {each.name: each for each in call.engine.notification_kinds()}
    if name is None:
        raise UsageError(
            "A new notification needs --kind.",
            "Each kind has its own settings and secrets.",
            f"Choose one of: {', '.join(kinds)}.",
        )
    if name not in kinds:
        from difflib import get_close_matches

        near = get_close_matches(name, kinds, n=1)
        raise UsageError(
            f"There is no kind of notification {printable(name)}.",
            f"Did you mean {near[0]}?" if near else "No kind has a similar name.",
            f"Choose one of: {', '.join(kinds)}.",
        )
    return kinds[name]


def _settings(had: NotificationConfig, kind: NotificationKind, args: argparse.Namespace) -> Mapping[str, str]:
    before = had.settings if had.kind == kind.name else {}
    return merged("setting", before, settings_from(args.set, kind))


def _asked(
    call: Call, config: NotificationConfig, kind: NotificationKind, secrets: Mapping[str, bytes]
) -> dict[str, bytes]:
    """Ask for required secrets that are missing. Without a terminal: empty."""
    try:
        wrong = call.engine.check_notification(config, secrets)
    except NotFound:
        return {}
    needed = [field for field in kind.fields if field.secret and field.key in wrong and field.key not in secrets]
    if "username" in config.settings and not secrets and config.name not in call.engine.config().notifications:
        needed += [field for field in kind.fields if field.key == "password"]
    if not call.can_ask or len(wrong) > len(needed):
        return {}
    return {field.key: ask_secret(call, field) for field in needed}


# -- list, kinds, test, remove -----------------------------------------------------------------------------------------


def _list(call: Call) -> int:
    from tui.cli.entries_json import notification_json
    from tui.cli.notify_text import list_lines

    entries: tuple[NotificationInfo, ...] = call.engine.notifications()
    call.result({"notifications": [notification_json(each) for each in entries]}, list_lines(entries))
    return exits.DONE


def _kinds_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", metavar="KIND", nargs="?", help="show only this kind")


def _kinds(call: Call) -> int:
    from tui.cli.entries_json import kind_json
    from tui.cli.notify_text import kinds_lines

    kinds = (_kind(call, call.args.kind),) if call.args.kind else call.engine.notification_kinds()
    call.result({"kinds": [kind_json(each) for each in kinds]}, kinds_lines(kinds))
    return exits.DONE


def _test(call: Call) -> int:
    with call.working(tell=False) as report:
        test = call.engine.test_notification(call.args.name, report=report, cancel=call.cancel)
    value = {"name": test.name, "kind": test.kind, "ok": True, "said": test.said, "milliseconds": test.milliseconds}
    call.result(value, [f"Sent. Response of {printable(test.name)}: {printable(test.said)}"])
    return exits.DONE


def _remove(call: Call) -> int:
    with call.working(tell=False) as report:
        call.engine.remove_notification(call.args.name, report=report)
    said = f"Removed {printable(call.args.name)} and its secrets."
    call.result({"name": call.args.name, "changed": True}, [said])
    return exits.DONE


COMMANDS = (
    Command(words="notify list", run=_list, examples=("notify list",)),
    Command(
        words="notify kinds", arguments=_kinds_arguments, run=_kinds, examples=("notify kinds", "notify kinds smtp")
    ),
    Command(
        words="notify add",
        arguments=_add_arguments,
        run=_add,
        examples=(
            "notify add admins --kind smtp --set host=mail.example.com username=box to=admin@example.com --secret password=FILE",
            "notify add chat --kind webhook --set url=https://chat.example.com/hook --secret signing_key=-",
            "notify add admins --replace --set quiet=22:00-07:00    # only urgent messages at night",
            "notify add pager --kind webhook --set url=https://pager.example.com/ --on deadline revoked",
        ),
        notes="Events: renewed failed expiring deadline rolled-back not-served timer run-missed credentials revoked fallback\n"
        "recovered. Secrets are stored in the vault; they are never arguments.",
    ),
    Command(
        words="notify test",
        arguments=name_argument,
        run=_test,
        examples=("notify test admins",),
        notes="Sends a test message and shows the response. The exit status is 1 if it was not accepted.",
    ),
    Command(words="notify remove", arguments=name_argument, run=_remove, examples=("notify remove admins",)),
)
