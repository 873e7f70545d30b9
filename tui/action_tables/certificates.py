"""Actions on a certificate on the first screen, and on the page that shows it as text."""

from __future__ import annotations

from typing import Final

from tui.action import (
    Action,
    has_certificate,
    has_lineage,
    may_change,
    may_change_certificate,
    may_complete,
    may_renew,
    may_revoke,
    may_roll_back,
    may_write,
)

CERTIFICATES: Final[tuple[Action, ...]] = (
    # -- certificates ----------------------------------------------------------------------------------------------
    Action(
        id="issue", key="i", label="Issue", title="Issue a certificate", scope="certificates", applies=may_write, footer=1,
        steady=True, commands=("issue",), also="order new get acme request",
        help="Opens the wizard: names, validation, issuer and key, service, check, issue.",
    ),
    Action(
        id="renew", key="r", label="Renew", title="Renew this certificate now", scope="certificates", applies=may_renew,
        footer=2, steady=True, commands=("renew",), also="refresh order again",
        help="Orders a new certificate for the same names and deploys it to its services, even if it is not due.",
        otherwise="It was uploaded, so it is not renewed here. u uploads a new one.",
    ),
    Action(
        id="deploy", key="d", label="Deploy", title="Deploy this certificate", scope="certificates",
        applies=may_change_certificate, footer=3, steady=True, commands=("deploy",), also="install push versions forward service",
        help="Deploys a version to its services: test, switch, reload, then a check of what they serve. You can choose any "
        "kept version.",
    ),
    Action(
        id="show-pem", key="v", label="PEM", title="Show the certificate as PEM", scope="certificates",
        applies=has_certificate, footer=8, commands=("pem",), also="copy text clipboard show",
        help="Shows the certificate and its chain as text, to read or to copy. Never the key.",
    ),
    Action(
        id="zoom", key="enter,ctrl+j", label="Details", title="Show every detail of this certificate", scope="certificates",
        applies=has_lineage, footer=9, shown_key="enter", also="info chain sha fingerprint serial",
        help="Shows the details on the whole screen, and back.",
    ),
    Action(
        id="roll-back", key="b", label="Roll back", title="Roll back to the previous version", scope="certificates",
        applies=may_roll_back, otherwise="There is no earlier version.", commands=("rollback",),
        also="previous undo back versions old",
        help="Deploys the previous version of this certificate to its services.",
    ),
    Action(
        id="complete", key="c", label="Complete", title="Complete the open order", scope="certificates", applies=may_complete,
        otherwise="It has no open order.", footer=2, commands=("complete",), also="continue finish dns records",
        help="Continues an open order, for example after you have set its DNS records.",
    ),
    Action(
        id="export", key="e", label="Export", title="Export this certificate", scope="certificates",
        applies=may_change_certificate, commands=("export",), also="save file pfx pkcs12 der copy",
        help="Writes certificate, chain or key into a file, in the format that another program needs.",
    ),
    Action(
        id="auto-renew", key="a", label="Auto-renew", title="Turn automatic renewal on or off", scope="certificates",
        applies=may_change, commands=("set",), also="automatic renewal",
        help="Sets whether the scheduled run renews this certificate automatically.",
    ),
    Action(
        id="delete", key="delete,D", label="Delete", title="Delete this certificate", scope="certificates", applies=may_change,
        shown_key="del", commands=("delete",), also="remove forget",
        help="Removes the certificate after asking; a sealed copy is kept for 30 days. A service that uses it keeps its files.",
    ),
    Action(
        id="filter", key="slash", label="Find", title="Filter the list", scope="certificates", footer=6, shown_key="/",
        steady=True, also="search find",
        applies=lambda situation: situation.certificates > 0,
        help="Words, or terms such as state:failed, service:nginx, due<30d; a - before one excludes. Esc shows all again.",
        otherwise="There is no certificate to find.",
    ),
    Action(
        id="sort", key="s", label="Sort", title="Sort the list another way", scope="certificates",
        applies=lambda situation: situation.certificates > 1,
        also="order column", help="Changes the order: certificates that need you first, by expiry, by name, by issuer.",
        otherwise="Sorting needs at least two certificates.",
    ),
    Action(
        id="sort-back", key="", label="Reverse", title="Reverse the order of the list", scope="certificates",
        applies=lambda situation: situation.certificates > 1, also="sort descending",
        help="Reverses the order. A click on the head of a column sorts by it.",
        otherwise="Sorting needs at least two certificates.",
    ),
    Action(
        id="change", key="o", label="Options", title="Settings of this certificate",
        scope="certificates", applies=may_change, commands=("set",),
        also="edit settings names key type profile days before proof validation challenge options",
        help="Shows every setting of this certificate, what a change costs, and changes it.",
    ),
    Action(
        id="doctor", key="x", label="Doctor", title="Doctor: check this certificate", scope="certificates", footer=4, steady=True,
        applies=has_lineage, commands=("doctor",), also="check diagnose problem why test health",
        help="Checks everything that can prevent its renewal or deployment. Changes nothing.",
        opens="tui.screens.doctor:DoctorScreen",
    ),
    Action(
        id="revoke", key="R", label="Revoke", title="Revoke this certificate", scope="certificates", applies=may_revoke,
        commands=("revoke",), also="compromised invalid", otherwise="It is self-signed: no CA can revoke it.",
        help="Asks for the reason, then revokes it at the CA. This cannot be undone.",
    ),
    Action(
        id="give-up", key="", label="Give up", title="Give up the open order", scope="certificates", applies=may_complete,
        otherwise="It has no open order.", also="cancel abort order complete", commands=("complete",),
        help="Discards the open order. The live certificate is unchanged.",
    ),
    Action(
        id="look-again", key="ctrl+r,f5", label="Look again", title="Check again what the services serve", scope="certificates",
        also="refresh reload check probe", help="Connects to every service and compares the certificate that it serves.",
    ),
    Action(
        id="problems", key="exclamation_mark", label="Problems", title="Show the files that cannot be read", scope="certificates",
        applies=lambda situation: situation.problems > 0 or situation.broken, shown_key="!", footer=2,
        help="Shows what is wrong in configuration files, and how to fix it.",
        otherwise="Every file can be read.",
    ),
    # -- PEM -------------------------------------------------------------------------------------------------------
    Action(
        id="copy", key="c", label="Copy", title="Copy the text", scope="pem", footer=1,
        help="Copies the text to the clipboard of your terminal (OSC 52). Not every terminal supports it; p always works.",
    ),
    Action(
        id="plain", key="p", label="Plain view", title="Print the text on the plain terminal", scope="pem", footer=2,
        help="Leaves the console for a moment and prints the text, to be selected with the mouse. Esc comes back.",
    ),
)  # fmt: skip
