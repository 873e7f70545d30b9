"""One table feeds keys, footer, palette and help, so none of them can tell another story."""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from itertools import product

import pytest

from tests.support.lineages import lineage, seven, without_certificate
from tui.action import why_not
from tui.actions import ACTIONS, Action, Situation, bindings, of_scope, offered
from tui.app import CertdeckApp
from tui.cli.catalogue import COMMANDS

SCOPES = sorted({action.scope for action in ACTIONS} - {"app", "page"})
SHOP = next(each for each in seven() if each.name == "shop")


TAKEN_ON_PURPOSE = {("records", "q")}
"""Keys of the app that a screen has another use for: q is the QR code before a physical console, ^q leaves."""


@pytest.mark.parametrize("scope", SCOPES)
def test_no_key_is_taken_twice(scope: str) -> None:
    """On no screen do two actions share a key, apart from those that a screen takes from the app on purpose."""
    keys = Counter(key for action in of_scope(scope, "page", "app") for key in action.key.split(",") if key)
    assert [key for key, count in keys.items() if count > 1 and (scope, key) not in TAKEN_ON_PURPOSE] == []


def test_every_action_explains_itself() -> None:
    """Every action has a label, a title that begins with a capital, and help that ends as a sentence."""
    assert [action.id for action in ACTIONS if not (action.label and action.title[0].isupper())] == []
    assert [action.id for action in ACTIONS if not action.help.endswith((".", "?"))] == []


def test_labels_are_short() -> None:
    """What stands in the footer is at most two words."""
    assert [action.label for action in ACTIONS if action.footer and len(action.label.split()) > 2] == []


def _ids(situation: Situation) -> set[str]:
    return {action.id for action in offered(of_scope("certificates"), situation)}


def test_nothing_is_offered_that_cannot_be_done() -> None:
    """Without certificates, while something runs, or with a broken configuration, only what makes sense is offered."""
    assert not _ids(Situation()) & {
        "renew",
        "deploy",
        "delete",
        "export",
        "show-pem",
        "zoom",
        "filter",
        "sort",
        "problems",
    }
    assert "issue" in _ids(Situation())
    assert not _ids(Situation(lineage=SHOP, certificates=7, busy=True)) & {
        "issue",
        "renew",
        "deploy",
        "delete",
        "export",
    }
    assert not _ids(Situation(lineage=SHOP, certificates=7, broken=True)) & {"issue", "renew", "deploy", "delete"}
    assert "show-pem" in _ids(Situation(lineage=SHOP, certificates=7, busy=True))


def test_what_applies_follows_the_certificate() -> None:
    """An upload is not renewed, a first version is not rolled back, and only an open order is completed."""
    one = Situation(lineage=lineage("a"), certificates=1)
    assert {"renew", "deploy", "export", "delete", "show-pem"} <= _ids(one)
    assert not _ids(one) & {"roll-back", "complete", "sort"}
    assert "roll-back" in _ids(Situation(lineage=lineage("a", version=2)))
    assert "complete" in _ids(Situation(lineage=lineage("a", open_order=True)))
    assert "renew" not in _ids(Situation(lineage=lineage("a", method="upload")))
    none = _ids(Situation(lineage=without_certificate("a")))
    assert "renew" in none
    assert not none & {"deploy", "export", "show-pem"}


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: f"{action.scope}-{action.id}")
def test_what_does_not_apply_has_a_reason(action: Action) -> None:
    """Every action that does not apply says why, whatever is selected, and no reason is given for one that does."""
    lineages = [None, SHOP, without_certificate("a"), lineage("b", method="upload"), lineage("c", self_signed=True)]
    for chosen, row, busy, broken, back in product(lineages, ("", "a"), (False, True), (False, True), (False, True)):
        for kind, step in product(("", "acme", "no address", "in the way"), (0, 5)):
            situation = Situation(
                lineage=chosen, row=row, row_kind=kind, busy=busy, broken=broken, can_go_back=back, step=step
            )
            assert bool(why_not(action, situation)) is not action.applies(situation), situation


def test_the_reason_fits_the_upload() -> None:
    """^l says what is missing for it: a certificate, a passphrase, or the address of its issuer."""
    fetch = next(action for action in ACTIONS if action.id == "fetch-chain")
    said = {
        kind: why_not(fetch, Situation(row_kind=kind)) for kind in ("no certificate", "protected", "no address", "")
    }
    assert said == {
        "no certificate": "There is no certificate yet.",
        "protected": "The file needs its passphrase first: ^t.",
        "no address": "The certificate has no web address of its issuer.",
        "": "No part of its chain is missing.",
    }


def test_the_dns_providers_are_reached_from_everywhere() -> None:
    """The providers have a key on every screen, and stand in footer and palette (ST-23)."""
    found = [action for action in ACTIONS if action.id == "dns"]
    assert [(action.scope, action.key, action.palette, action.footer > 0) for action in found] == [
        ("app", "h", True, True)
    ]


def test_bindings_leave_out_what_has_no_key() -> None:
    """An action without a key is for the palette alone."""
    action = Action(id="a-b", key="", label="A", title="A", help="A.")
    assert bindings([action]) == []
    made = bindings([Action(id="a-b", key="f,g", label="A", title="A", help="A.")])
    assert [(binding.key, binding.action) for binding in made if not isinstance(binding, tuple)] == [("f,g", "a_b")]


def test_keys_are_written_as_people_write_them() -> None:
    """The footer and the help write ^p, esc, ? and not Textual's names."""
    shown = {action.id: action.key_shown for action in ACTIONS}
    assert (shown["command_palette"], shown["back"], shown["menu"], shown["issue"]) == ("^p", "esc", "?", "i")


@pytest.mark.parametrize("action", [each for each in ACTIONS if each.opens], ids=lambda action: action.id)
def test_a_row_names_a_screen_that_is_there(action: Action) -> None:
    """What a row of the table opens exists, says how it is opened from another page, and needs no method of the app."""
    module, _, name = action.opens.partition(":")
    assert callable(getattr(import_module(module), name).opened_from)
    assert f"action_{action.id.replace('-', '_')}" not in vars(CertdeckApp)
    assert action.call == f"app.open('{action.id}')"


CANNOT_BE_REACHED = {
    "fleet init": "made once, on the first hub, with etcd's root password",
    "fleet join": "made once, before the box is set up",
    "fleet ticket": "made for another box, on its way to it",
    "fleet service": "part of setting a box up",
    "fleet watch": "a service of systemd, not something a person does",
    "fleet sync": "what the scheduled run does",
}
"""Commands that the console cannot do, each with the reason."""


def test_every_command_is_in_the_console() -> None:
    """Each command of the command line names at least one action that does the same; and no action names a command that is none."""
    done = {command for action in ACTIONS for command in action.commands}
    assert sorted(set(COMMANDS) - done - set(CANNOT_BE_REACHED)) == []
    assert sorted(done - set(COMMANDS)) == []
    assert sorted(done & set(CANNOT_BE_REACHED)) == []


@pytest.mark.parametrize(
    ("word", "id"),
    [
        ("timer", "schedule"),
        ("cron", "schedule"),
        ("copy", "show-pem"),
        ("edit", "change"),
        ("names", "change"),
        ("chain", "zoom"),
        ("check", "doctor"),
        ("mail", "notifications"),
        ("refresh", "look-again"),
        ("undo", "roll-back"),
        ("trash", "deleted"),
        ("forecast", "what-if"),
        ("compromised", "revoke"),
    ],
)
def test_the_palette_knows_other_words(word: str, id: str) -> None:
    """What people call a thing finds it, whatever it is called here."""
    page = [action for action in ACTIONS if action.scope in ("certificates", "page", "app")]
    found = [action.id for action in page if word in f"{action.title} {action.label} {action.also}".casefold()]
    assert id in found
