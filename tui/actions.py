"""Every action of the console, once: its key, its words, and when it applies.

Bindings, footer, command palette, and help screen are all made from this table, so none of them can tell another story. An
action `roll-back` is carried out by a method `action_roll_back` of the screen that names its scope, or of the app; one with
`opens` by opening that screen.
A screen module that brings its own actions keeps them here too, below a heading of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from textual.binding import Binding, BindingType

from tui.action import (
    Action,
    Situation,
    has_certificate,
    has_lineage,
    may_change,
    may_change_certificate,
    may_complete,
    may_renew,
    may_roll_back,
    may_write,
)

__all__ = ["ACTIONS", "Action", "Situation", "bindings", "of_scope", "offered"]

ACTIONS: Final[tuple[Action, ...]] = (
    # -- certificates ----------------------------------------------------------------------------------------------
    Action(
        id="issue", key="i", label="Issue", title="Issue a certificate", scope="certificates", applies=may_write, footer=1,
        help="Opens the wizard: names, proof, issuer and key, service, check, issue.",
    ),
    Action(
        id="renew", key="r", label="Renew", title="Renew this certificate now", scope="certificates", applies=may_renew,
        footer=2, help="Orders a new certificate for the same names and puts it onto its services, due or not.",
        otherwise="It comes from elsewhere, and is not renewed here. u brings a new one.",
    ),
    Action(
        id="deploy", key="d", label="Deploy", title="Deploy this certificate", scope="certificates",
        applies=may_change_certificate, footer=3,
        help="Puts the newest version onto its services: test, switch, reload, then a look at what they serve.",
    ),
    Action(
        id="show-pem", key="v", label="PEM", title="Show the certificate as PEM", scope="certificates",
        applies=has_certificate, footer=7,
        help="Shows the certificate and its chain as text, to look at or to copy. Never the key.",
    ),
    Action(
        id="zoom", key="enter,ctrl+j", label="Details", title="Show every detail of this certificate", scope="certificates",
        applies=has_lineage, footer=4, shown_key="enter",
        help="Gives the details the whole screen, and back. Tab moves to them too, to scroll.",
    ),
    Action(
        id="roll-back", key="b", label="Roll back", title="Roll back to the version before", scope="certificates",
        applies=may_roll_back, otherwise="There is no version before this one.",
        help="Puts the previous version of this certificate back onto its services.",
    ),
    Action(
        id="complete", key="c", label="Complete", title="Complete the open order", scope="certificates", applies=may_complete,
        otherwise="It has no open order.", footer=2,
        help="Goes on with an order that was left open, for example after its DNS records were made.",
    ),
    Action(
        id="export", key="e", label="Export", title="Export this certificate", scope="certificates",
        applies=may_change_certificate, help="Writes certificate, chain or key into a file, in the format another program wants.",
    ),
    Action(
        id="auto-renew", key="a", label="Auto-renew", title="Switch automatic renewal on or off", scope="certificates",
        applies=may_change, help="Decides whether the scheduled run may renew this certificate by itself.",
    ),
    Action(
        id="delete", key="delete,D", label="Delete", title="Delete this certificate", scope="certificates", applies=may_change,
        shown_key="del",
        help="Forgets the certificate after asking; a sealed copy is kept for 30 days. A service that uses it keeps its files.",
    ),
    Action(
        id="filter", key="slash", label="Filter", title="Filter the list", scope="certificates", footer=6, shown_key="/",
        applies=lambda situation: situation.certificates > 0,
        help="Keeps the certificates whose name, names or issuer contain what you type. Esc shows all again.",
    ),
    Action(
        id="sort", key="s", label="Sort", title="Sort the list another way", scope="certificates",
        applies=lambda situation: situation.certificates > 1,
        help="Changes the order: what needs you first, what ends first, by name, by issuer.",
    ),
    Action(
        id="look-again", key="ctrl+r,f5", label="Look again", title="Look again at what the services serve", scope="certificates",
        help="Speaks TLS to every service and compares what it presents with what should be there.",
    ),
    Action(
        id="problems", key="exclamation_mark", label="Problems", title="Show the files that cannot be read", scope="certificates",
        applies=lambda situation: situation.problems > 0 or situation.broken, shown_key="!", footer=2,
        help="Says what is wrong with files that a person has written, and how to fix them.",
    ),
    # -- PEM -------------------------------------------------------------------------------------------------------
    Action(
        id="copy", key="c", label="Copy", title="Copy the text", scope="pem", footer=1,
        help="Hands the text to the clipboard of your own terminal (OSC 52). Not every terminal takes it; p always works.",
    ),
    Action(
        id="plain", key="p", label="Plain view", title="Print the text on the bare terminal", scope="pem", footer=2,
        help="Leaves the console for a moment and prints the text, to be selected with the mouse. Esc comes back.",
    ),
    # -- log -------------------------------------------------------------------------------------------------------
    Action(
        id="filter", key="slash", label="Filter", title="Filter the log", scope="log", footer=1, shown_key="/",
        help="Keeps the entries of one certificate, or those that contain what you type. Esc shows all again.",
    ),
    Action(
        id="older", key="o", label="Older", title="Read older entries", scope="log", footer=2,
        help="Reads the next older entries. It happens by itself at the end of the list.",
    ),
    Action(
        id="verify", key="v", label="Verify", title="Verify the log", scope="log", footer=3,
        help="Follows the chain of hashes through the whole log and says whether somebody has altered it.",
    ),
    # -- progress --------------------------------------------------------------------------------------------------
    Action(
        id="stop", key="ctrl+x", label="Stop", title="Stop the operation", scope="progress", footer=2,
        applies=lambda situation: situation.busy,
        help="Asks the operation to stop at the next safe point. What is live stays live; an open order can be completed later.",
    ),
    Action(
        id="in-full", key="v", label="In full", title="Show everything that was told", scope="progress", footer=3,
        help="Shows every event as a line, in the CA's own words, instead of the steps; and back.",
    ),
    # -- issue wizard ----------------------------------------------------------------------------------------------
    Action(
        id="next", key="enter,ctrl+n,ctrl+j", label="Next", title="Go on to the next step", scope="issue", footer=1,
        shown_key="enter",
        applies=lambda situation: situation.step < 6,
        help="Checks this step and goes on. What is wrong is said where it is. Ctrl+N does the same from every field.",
    ),
    Action(
        id="test-provider", key="x", label="Test", title="Test this DNS provider", scope="issue-proof", footer=2,
        applies=lambda situation: situation.row_kind == "dns-provider" and bool(situation.row),
        help="Writes a record with it, looks for it at every name server, removes it, and comes back here.",
    ),
    Action(
        id="add-provider", key="n", label="New", title="Add a DNS provider", scope="issue-proof", footer=3,
        applies=lambda situation: situation.row_kind == "dns-provider",
        help="Opens the form of a DNS provider, and comes back here with it chosen. Nothing you entered is lost.",
    ),
    Action(
        id="copy", key="c", label="Copy", title="Copy these lines", scope="issue-proof", footer=2,
        applies=lambda situation: situation.row_kind == "http-01",
        help="Hands the lines to the clipboard of your own terminal (OSC 52). Not every terminal takes it.",
    ),
    Action(
        id="check-again", key="ctrl+r,f5", label="Check again", title="Run the checks again", scope="issue-check", footer=2,
        help="Asks the network and the services again, after something was fixed.",
    ),
    Action(
        id="stop", key="ctrl+x", label="Stop", title="Stop the order", scope="issue-run", footer=2,
        applies=lambda situation: situation.busy,
        help="Asks the order to stop at the next safe point. What is live stays live.",
    ),
    Action(
        id="try-again", key="r", label="Try again", title="Order it again", scope="issue-run", footer=2,
        applies=lambda situation: situation.row_kind == "failed",
        help="Orders once more with everything as you entered it, after the obstacle was removed.",
    ),
    Action(
        id="finish", key="enter,ctrl+j", label="Close", title="Close the wizard", scope="issue-run", footer=1, shown_key="enter",
        applies=lambda situation: not situation.busy, help="Goes back to the certificates.",
    ),
    # -- forms -----------------------------------------------------------------------------------------------------
    Action(
        id="save", key="ctrl+s,enter,ctrl+j", label="Save", title="Save", scope="form", footer=1, shown_key="enter",
        help="Checks every field and saves. Ctrl+S does the same from every field.",
    ),
    # -- first boot ------------------------------------------------------------------------------------------------
    Action(
        id="save", key="ctrl+s,enter,ctrl+j", label="Go on", title="Make the certificate, or close", scope="first-boot", footer=1,
        shown_key="enter", help="Makes the self-signed certificate with these names; afterwards it closes this screen.",
    ),
    # -- upload ----------------------------------------------------------------------------------------------------
    Action(
        id="upload", key="u", label="Upload", title="Upload a certificate from elsewhere", footer=2,
        # On the first screen: nowhere else is there a certificate under the cursor, or nothing to go back to.
        applies=lambda situation: may_write(situation) and (situation.lineage is not None or not situation.can_go_back),
        help="Takes a certificate that was bought or comes from another PKI: by path or paste, checked before it is applied.",
        opens="tui.screens.upload:UploadScreen",
    ),
    Action(
        id="apply", key="ctrl+s", label="Apply", title="Apply the certificate", scope="upload", applies=may_write, footer=1,
        help="Puts it onto its services as one transaction. Off while a check fails; a warning lets it pass.",
    ),
    Action(
        id="choose-file", key="ctrl+o", label="Choose files", title="Add a file by its path", scope="upload", footer=2,
        help="Asks for a path, with Tab to complete it. Several files can be added, one after another.",
    ),
    Action(
        id="passphrase", key="ctrl+t", label="Passphrase", title="Give the passphrase", scope="upload", footer=3,
        applies=lambda situation: situation.row_kind == "protected",
        help="Asks for the passphrase of a protected key or PFX again.",
    ),
    Action(
        id="fetch-chain", key="ctrl+l", label="Fetch chain", title="Fetch the missing part of the chain", scope="upload",
        footer=3, applies=lambda situation: situation.row_kind == "incomplete",
        help="Asks the address that the certificate names for its issuer's certificate. Without it nothing is fetched.",
    ),
    Action(
        id="requests", key="ctrl+r", label="Requests", title="Make a signing request (CSR)", scope="upload", footer=4,
        help="For a CA that wants a request: the key is made on this box and stays here. Shows the open requests, too.",
    ),
    # -- signing requests ------------------------------------------------------------------------------------------
    Action(
        id="new", key="n", label="New", title="Make a new signing request", scope="requests", applies=may_write, footer=1,
        help="Asks for its names, the type of its key and a subject, makes the key, and shows the request.",
    ),
    Action(
        id="copy", key="c", label="Copy", title="Copy the request", scope="requests", footer=2,
        applies=lambda situation: bool(situation.row),
        help="Hands the request to the clipboard of your own terminal (OSC 52). Not every terminal takes it; p always works.",
    ),
    Action(
        id="plain", key="p", label="Plain view", title="Print the request on the bare terminal", scope="requests", footer=3,
        applies=lambda situation: bool(situation.row),
        help="Leaves the console for a moment and prints the request, to be selected with the mouse. Esc comes back.",
    ),
    Action(
        id="save-file", key="e", label="Save", title="Save the request to a file", scope="requests", footer=4,
        applies=lambda situation: bool(situation.row),
        help="Writes the request to a file on this box. It is no secret; its key stays sealed.",
    ),
    Action(
        id="forget", key="delete,D", label="Forget", title="Forget this request and its key", scope="requests", footer=4,
        applies=lambda situation: may_write(situation) and bool(situation.row), shown_key="del",
        help="For a request that nothing comes for any more: a certificate for it would be of no use then.",
    ),
    # -- deleted certificates --------------------------------------------------------------------------------------
    Action(
        id="bring-back", key="enter,ctrl+j", label="Bring back", title="Bring this certificate back", scope="deleted", footer=1,
        shown_key="enter",
        applies=lambda situation: may_write(situation) and bool(situation.row) and situation.row_kind != "in the way",
        help="Brings back its key, its versions and its settings. It is deployed to nothing by that.",
    ),
    # -- issuers ---------------------------------------------------------------------------------------------------
    Action(
        id="test", key="x,enter,ctrl+j", label="Test", title="Test the directory of this issuer", scope="issuers", footer=1,
        shown_key="x",
        applies=lambda situation: situation.row_kind == "acme",
        help="Reads its directory: its terms, profiles, CAA names, whether it suggests renewal times, "
        "and how far our clock is off.",
    ),
    Action(
        id="make-default", key="d", label="Default", title="Make this the default issuer", scope="issuers", footer=2,
        applies=lambda situation: may_write(situation) and bool(situation.row),
        help="Certificates that name no issuer of their own are ordered from it from now on.",
    ),
    Action(
        id="add", key="n,insert", label="New", title="Add an issuer", scope="issuers", footer=3, applies=may_write,
        help="Adds another CA that speaks ACME, public or within your company, by the URL of its directory.",
    ),
    Action(
        id="set-eab", key="e", label="EAB", title="Set the external account binding", scope="issuers", footer=4,
        applies=lambda situation: may_write(situation) and situation.row_kind == "acme",
        help="Keeps the key id and the HMAC key that a CA gives its customers. The HMAC key goes into the vault.",
    ),
    Action(
        id="remove", key="delete", label="Remove", title="Remove this issuer", scope="issuers", footer=5, shown_key="del",
        applies=lambda situation: may_write(situation) and situation.row_kind == "acme",
        help="Removes what the configuration says of it. Refused while a certificate still needs it.",
    ),
    # -- targets ---------------------------------------------------------------------------------------------------
    Action(
        id="test", key="x,enter,ctrl+j", label="Test", title="Test this target", scope="targets", footer=1, shown_key="x",
        applies=lambda situation: bool(situation.row),
        help="Looks at its files, runs its configuration test, and asks what it serves. Changes nothing.",
    ),
    Action(
        id="add", key="n,insert", label="New", title="Add a target", scope="targets", footer=2, applies=may_write,
        help="Describes a service: where its certificate and key lie, how to test and reload it, and where it speaks TLS.",
    ),
    Action(
        id="change", key="e", label="Change", title="Change this target", scope="targets", footer=3,
        applies=lambda situation: may_write(situation) and bool(situation.row),
        help="Opens the same form with what is set now.",
    ),
    Action(
        id="remove", key="delete", label="Remove", title="Remove this target", scope="targets", footer=4, shown_key="del",
        applies=lambda situation: may_write(situation) and bool(situation.row),
        help="Forgets the service; its files stay as they are. Refused while a certificate is deployed to it.",
    ),
    Action(
        id="take-over", key="enter,ctrl+j", label="Take over", title="Make targets of these services", scope="services", footer=1,
        shown_key="enter", applies=lambda situation: may_write(situation) and situation.row_kind == "free",
        help="Makes targets of the services that are ticked, or of the one under the cursor. They keep their certificates for now.",
    ),
    # -- DNS providers -----------------------------------------------------------------------------------------------
    Action(
        id="test", key="x,T,enter,ctrl+j", label="Test", title="Test this DNS provider", scope="dns", footer=1, shown_key="x",
        applies=lambda situation: may_write(situation) and bool(situation.row),
        help="Writes a TXT record, waits until every name server has it, and removes it. Each step says what to fix.",
    ),
    Action(
        id="add", key="n,insert", label="New", title="Add a DNS provider", scope="dns", footer=2, applies=may_write,
        help="Takes who serves your zone, and what is needed to write there. Secrets go into the vault.",
    ),
    Action(
        id="change", key="e", label="Change", title="Change this DNS provider", scope="dns", footer=3,
        applies=lambda situation: may_write(situation) and bool(situation.row),
        help="Opens the same form with what is set now. Secrets are kept unless you type others.",
    ),
    Action(
        id="remove", key="delete", label="Remove", title="Remove this DNS provider", scope="dns", footer=4, shown_key="del",
        applies=lambda situation: may_write(situation) and bool(situation.row),
        help="Forgets it and its secrets. Refused while a certificate proves its names with it.",
    ),
    Action(
        id="take", key="enter,ctrl+j", label="Choose", title="Take this kind of provider", scope="dns-kind", footer=1,
        shown_key="enter", help="Opens the form of this provider. Where the others are offered, it lists them first.",
    ),
    Action(
        id="choose-file", key="ctrl+o", label="From file", title="Read this secret from a file", scope="dns-form", footer=2,
        help="Reads the secret of the field that has the focus out of a file, whole, line ends at its end apart.",
        applies=lambda situation: situation.row_kind == "secret", priority=True,
    ),
    Action(
        id="run", key="enter,ctrl+j,ctrl+n", label="Test", title="Test with this domain", scope="dns-test", footer=1,
        shown_key="enter", applies=may_write, help="Tries it again, with the domain that stands in the field.",
    ),
    Action(
        id="stop", key="ctrl+x", label="Stop", title="Stop the test", scope="dns-test", footer=2,
        applies=lambda situation: situation.row_kind == "running",
        help="Stops it at the next safe point. What it wrote is removed again.",
    ),
    # -- settings --------------------------------------------------------------------------------------------------
    Action(
        id="change", key="enter,ctrl+j", label="Change", title="Change what is under the cursor", scope="settings", footer=1,
        shown_key="enter", help="Takes the theme, or switches automatic renewal of the certificate on or off.",
    ),
    # -- DNS records that are set by hand ----------------------------------------------------------------------------
    Action(
        id="answer", key="enter,ctrl+j", label="Answer", title="Let the CA look at the records now", scope="records", footer=1,
        shown_key="enter", applies=lambda situation: may_write(situation) and situation.step > 0,
        help="Completes the order. Where a name server lacks a record it asks first, because a failed challenge ends the order.",
    ),
    Action(
        id="copy", key="c", label="Copy", title="Copy this value", scope="records", footer=2,
        help="Hands the whole value to the clipboard of your own terminal (OSC 52). Not every terminal takes it; p always works.",
    ),
    Action(
        id="copy-name", key="C", label="Copy name", title="Copy the name of this record", scope="records",
        help="Hands the record's name to the clipboard, as the form of your DNS provider wants it.",
    ),
    Action(
        id="next-record", key="n", label="Next", title="Go to the next record", scope="records", footer=3,
        applies=lambda situation: situation.row_kind == "several", help="Goes to the next record, and from the last to the first.",
    ),
    Action(
        id="qr", key="q", label="QR", title="Show the value as a QR code", scope="records", footer=4,
        help="Fills the screen with a code for the camera of a phone. Ctrl+Q leaves certdeck here.",
    ),
    Action(
        id="plain", key="p", label="Plain", title="Print the records on the bare terminal", scope="records", footer=5,
        help="Leaves the console for a moment and prints the records whole, to be selected with the mouse. Esc comes back.",
    ),
    Action(
        id="zone-file", key="z", label="Zone", title="Show the records as lines of a zone file", scope="records", footer=9,
        help="For those who keep their zone in a file: the lines to add, to look at and to copy.",
    ),
    Action(
        id="look-now", key="r,ctrl+r,f5", label="Look", title="Ask the name servers now", scope="records", footer=9,
        help="Does not wait for the next look. The pauses between looks begin short again.",
    ),
    Action(
        id="by-itself", key="a", label="By itself", title="Answer by itself, or wait for me", scope="records", footer=9,
        help="Decides whether the order goes on by itself once every name server has every record, after a few seconds.",
    ),
    Action(
        id="give-up", key="x", label="Give up", title="Give this order up", scope="records", footer=9,
        applies=lambda situation: may_write(situation) and situation.step > 0,
        help="Forgets the order. Its values are no longer valid: a new order has new ones.",
    ),
    Action(
        id="next-record", key="n,right,space", label="Next", title="Go to the next record", scope="records-qr", footer=1,
        applies=lambda situation: situation.row_kind == "several", help="Shows the code of the next record.",
    ),
    Action(
        id="name-or-value", key="v", label="Name", title="Show the code of the name, or of the value", scope="records-qr", footer=2,
        help="The name of a record can be long to type as well.",
    ),
    Action(
        id="invert", key="i", label="Invert", title="Swap dark and light", scope="records-qr", footer=3,
        help="A camera wants dark on light. Where the terminal has no colours, only you see which way round it is.",
    ),
    # -- leading to other screens ------------------------------------------------------------------------------------
    Action(
        id="first-boot", key="f", label="First boot", title="First boot: a self-signed certificate now",
        applies=may_write, help="Makes this box speak HTTPS at once with a self-signed certificate. Browsers warn about it.",
        opens="tui.screens.first_boot:FirstBootScreen",
    ),
    Action(
        id="issuers", key="m", label="Issuers", title="Issuers and accounts", footer=10,
        help="The certificate authorities that can be ordered from, what each of them takes, and the accounts there.",
        opens="tui.screens.issuers:IssuersScreen",
    ),
    Action(
        id="targets", key="y", label="Targets", title="Targets: the services that use certificates", footer=11,
        help="The services that certificates are put onto, and how each of them is tested and reloaded.",
        opens="tui.screens.targets:TargetsScreen",
    ),
    Action(
        id="services", key="S", label="Services", title="Services of this box: find them, and take them over",
        also="detect unmanaged discover", help="Finds the TLS services of this box and what each serves. Changes nothing.",
        opens="tui.screens.services:ServicesScreen",
    ),
    Action(
        id="dns", key="h", label="DNS", title="DNS providers: who writes the records of your zones", footer=11,
        help="The providers that names are proved with through the DNS: which zones each serves, and whether it works.",
        opens="tui.screens.dns:DnsScreen",
    ),
    Action(
        id="signing-requests", key="", label="Requests", title="Signing requests (CSR): make one, or see the open ones",
        applies=may_write, also="certificate request pkcs10",
        help="For a CA that wants a request. ^r on the upload screen leads there, too.",
        opens="tui.screens.upload.requests:RequestsScreen",
    ),
    Action(
        id="deleted", key="", label="Undelete", title="Undelete: bring a deleted certificate back", applies=may_write,
        also="restore recover removed trash",
        help="Lists what was deleted within the last 30 days, and brings one of them back.",
        opens="tui.screens.deleted:DeletedScreen",
    ),
    Action(
        id="settings", key="comma", label="Settings", title="Settings", shown_key=",",
        help="The theme, automatic renewal, and everything the configuration says.",
        opens="tui.screens.settings:SettingsScreen",
    ),
    # -- everywhere ------------------------------------------------------------------------------------------------
    Action(
        id="back", key="escape", label="Back", title="Go back", scope="page", footer=3, palette=False,
        applies=lambda situation: situation.can_go_back, help="Leaves this screen. Work that runs goes on.",
    ),
    Action(
        id="progress", key="w", label="Progress", title="Show the work that runs", footer=5,
        applies=lambda situation: situation.busy,
        help="Comes back to the progress of the operation that runs.",
        opens="tui.screens.progress:ProgressScreen",
    ),
    Action(
        id="log", key="l", label="Log", title="Open the log", footer=5, help="Shows what was done, when, and by whom.",
        opens="tui.screens.log:LogScreen",
    ),
    Action(
        id="theme", key="t", label="Theme", title="Change the theme",
        help="Goes to the next theme, for this session. appliance.theme in certdeck.toml chooses one for good.",
    ),
    Action(
        id="help", key="question_mark,f1", label="Help", title="Help for this screen", footer=1, shown_key="?",
        help="Explains the screen you are on.",
        opens="tui.screens.help:HelpScreen",
    ),
    Action(
        id="command_palette", key="ctrl+p", label="More", title="Every command", footer=1, palette=False, priority=True,
        help="Finds every command and every certificate by its name.",
        opens="tui.palette:PaletteDialog",
    ),
    Action(
        id="quit", key="q,ctrl+q", label="Quit", title="Leave certdeck",
        help="Ends the console. Work that runs is finished first; the scheduled run goes on by itself.",
    ),
)  # fmt: skip
"""In the order in which help and palette list them."""


def of_scope(*scopes: str) -> tuple[Action, ...]:
    """Return the actions of these scopes, in the table's order."""
    return tuple(action for action in ACTIONS if action.scope in scopes)


def bindings(actions: Iterable[Action]) -> list[BindingType]:
    """Return what a screen or the app lists under BINDINGS for these actions."""
    return [
        Binding(action.key, action.call, action.label, show=False, priority=action.priority)
        for action in actions
        if action.key
    ]


def offered(actions: Iterable[Action], situation: Situation) -> list[Action]:
    """Return those that make sense now."""
    return [action for action in actions if action.applies(situation)]
