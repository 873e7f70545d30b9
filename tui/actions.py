"""The table of all actions of the console: key, texts, and when each applies.

Bindings, footer, command palette, and help screen are generated from this table, so they always agree. The action `roll-back` calls
the method `action_roll_back` of the screen with its scope, or of the app. An action with `opens` opens that screen.
The table is joined from `tui.action_tables`. Actions that open a page, and those that work everywhere, are here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from textual.binding import Binding, BindingType

from tui.action import Action, Situation, may_write
from tui.action_tables.certificates import CERTIFICATES
from tui.action_tables.records import RECORDS
from tui.action_tables.setup import SETUP
from tui.action_tables.work import WORK

__all__ = ["ACTIONS", "Action", "Situation", "bindings", "of_scope", "offered"]

ACTIONS: Final[tuple[Action, ...]] = (
    *CERTIFICATES,
    *WORK,
    *SETUP,
    *RECORDS,
    # -- leading to other screens ------------------------------------------------------------------------------------
    Action(
        id="first-boot", key="f", label="First boot", title="First boot: create a self-signed certificate now",
        applies=may_write, help="Sets up HTTPS on this box with a self-signed certificate. Browsers warn about it.",
        opens="tui.screens.first_boot:FirstBootScreen", commands=("first-boot",), also="self-signed start",
    ),
    Action(
        id="issuers", key="m", label="Issuers", title="Issuers and accounts", footer=10,
        help="The available certificate authorities, what each supports, and your accounts there.",
        opens="tui.screens.issuers:IssuersScreen", commands=("issuer list", "account list"),
        also="ca account acme eab terms letsencrypt root",
    ),
    Action(
        id="targets", key="y", label="Targets", title="Targets: services that use certificates", footer=11,
        help="The services that certdeck deploys to, and how it tests and reloads each of them.",
        opens="tui.screens.targets:TargetsScreen", commands=("target list",), also="service nginx web server kinds",
    ),
    Action(
        id="services", key="B", label="Services", title="Services of this box: find them, and take them over",
        also="detect unmanaged discover", help="Finds the TLS services of this box and what each serves. Changes nothing.",
        opens="tui.screens.services:ServicesScreen", commands=("target detect",),
    ),
    Action(
        id="adopt", key="", label="Adopt", title="Take over certificates of other ACME clients", applies=may_write,
        also="adopt migrate certbot acme.sh lego dehydrated caddy",
        help="Finds what certbot, acme.sh, lego and others manage on this box, and takes it over.",
        opens="tui.screens.adopt:AdoptScreen", commands=("adopt",),
    ),
    Action(
        id="dns", key="h", label="DNS", title="DNS providers", footer=11,
        help="The providers that set records in your zones: which zones each serves, and whether it works.",
        opens="tui.screens.dns:DnsScreen", commands=("dns list",), also="zone txt cloudflare route53 api token",
    ),
    Action(
        id="signing-requests", key="", label="Requests", title="Signing requests (CSR): create one, or see the open ones",
        applies=may_write, also="certificate request pkcs10", commands=("csr",),
        help="For a CA that needs a request. ^r on the upload screen opens it too.",
        opens="tui.screens.upload.requests:RequestsScreen",
    ),
    Action(
        id="deleted", key="", label="Undelete", title="Undelete: restore a deleted certificate", applies=may_write,
        also="restore recover removed trash bring back", commands=("undelete",),
        help="Lists what was deleted within the last 30 days, and restores one of them.",
        opens="tui.screens.deleted:DeletedScreen",
    ),
    Action(
        id="settings", key="comma", label="Settings", title="Settings", shown_key=",",
        help="The theme, automatic renewal, and the configuration.",
        opens="tui.screens.settings:SettingsScreen", also="theme colour color configuration",
    ),
    Action(
        id="doctor-box", key="", label="Doctor", title="Doctor for the whole box", commands=("doctor",),
        also="check diagnose problem why test health",
        help="Checks everything that can prevent a certificate from being issued, renewed or served. Changes nothing.",
        opens="tui.screens.doctor:BoxDoctorScreen",
    ),
    Action(
        id="doctor-names", key="", label="Doctor", title="Doctor for new names", commands=("doctor",),
        also="check domain dns before issue", help="Checks names without a certificate. Nothing is ordered.",
        opens="tui.screens.doctor:NamesForm",
    ),
    Action(
        id="schedule", key="S", label="Schedule", title="Schedule: automatic renewal on, off, and when", footer=11,
        commands=("schedule show", "schedule on", "schedule off", "schedule run"),
        also="timer cron systemd automatic renewal run now night",
        help="Shows whether the timer is running, turns automatic renewal on or off, and sets its times.",
        opens="tui.screens.schedule:ScheduleScreen",
    ),
    Action(
        id="notifications", key="N", label="Notify", title="Notifications: mail, webhooks, chat", footer=12,
        commands=("notify list",), also="mail email smtp webhook apprise alert message tell",
        help="Channels for failures and other events: mail, webhooks, chat services.",
        opens="tui.screens.notifications:NotificationsScreen",
    ),
    Action(
        id="maintenance", key="M", label="Maintenance", title="Maintenance: backup, restore, report, self-check, vault", footer=12,
        commands=("backup", "restore", "report", "self-check", "vault rotate", "vault new"),
        also="backup restore report bug self-check master key vault rotate move credential passphrase log",
        help="Backs the box up and restores it, writes a report, checks the program, and changes the master key.",
        opens="tui.screens.maintenance:MaintenanceScreen",
    ),
    Action(
        id="fleet", key="F", label="Fleet", title="Fleet: several boxes with the same certificates",
        commands=("fleet status", "fleet devices"), also="etcd hub device cluster boxes approve join leader",
        help="Shows the leading hub, all boxes, and what each serves.",
        opens="tui.screens.fleet:FleetScreen",
    ),
    Action(
        id="what-if", key="W", label="What if", title="What if lifetimes shrink: forecast of renewals", footer=13,
        commands=("status",), also="forecast calendar future lifetime 47 days 2027 2029",
        help="Shows what announced certificate lifetimes will do to this box.",
        opens="tui.screens.what_if:WhatIfScreen",
    ),
    # -- everywhere ------------------------------------------------------------------------------------------------
    Action(
        id="back", key="escape", label="Back", title="Go back", scope="page", footer=3, palette=False,
        applies=lambda situation: situation.can_go_back, help="Leaves this screen. A running operation continues.",
        otherwise="This is the first screen.",
    ),
    Action(
        id="progress", key="w", label="Progress", title="Show the running operation", footer=5,
        applies=lambda situation: situation.busy,
        also="running order", help="Returns to the progress of the running operation.",
        opens="tui.screens.progress:ProgressScreen",
        otherwise="No operation is running.",
    ),
    Action(
        id="log", key="l", label="Log", title="Open the log", footer=5, help="Shows what was done, when, and by whom.", steady=True,
        commands=("log",), also="history events journal audit",
        opens="tui.screens.log:LogScreen",
    ),
    Action(
        id="theme", key="t", label="Theme", title="Change the theme",
        also="colour color dark light contrast", help="Changes to the next theme, for this session. Settings save one.",
    ),
    Action(
        id="menu", key="question_mark", label="Keys", title="Everything that can be done here", footer=1, shown_key="?",
        palette=False,
        help="Lists every key of this screen, finds one by typing, and runs what you choose. F1, or ? again, opens the help text.",
        opens="tui.palette:MenuDialog",
    ),
    Action(
        id="help", key="f1", label="Help", title="Help for this screen", also="manual explain",
        help="Explains the screen you are on.",
        opens="tui.screens.help:HelpScreen",
    ),
    Action(
        id="command_palette", key="ctrl+p,colon", label="More", title="Every command", footer=1, palette=False, priority=True,
        help="Finds every command and every certificate by its name.",
        opens="tui.palette:PaletteDialog", shown_key="^p",
    ),
    Action(
        id="quit", key="q,ctrl+q", label="Quit", title="Quit certdeck", also="exit leave close",
        help="Closes the console. A running operation finishes first. The scheduled run is not affected.",
    ),
)  # fmt: skip
"""All actions, in the order of help and palette."""


def of_scope(*scopes: str) -> tuple[Action, ...]:
    """Return the actions of these scopes, in the table's order."""
    return tuple(action for action in ACTIONS if action.scope in scopes)


def bindings(actions: Iterable[Action]) -> list[BindingType]:
    """Return the Textual BINDINGS for these actions."""
    return [
        Binding(action.key, action.call, action.label, show=False, priority=action.priority)
        for action in actions
        if action.key
    ]


def offered(actions: Iterable[Action], situation: Situation) -> list[Action]:
    """Return the actions that apply now."""
    return [action for action in actions if action.applies(situation)]
