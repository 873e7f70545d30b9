"""Actions on the pages for work: orders, uploads, requests, forms, and the log."""

from __future__ import annotations

from typing import Final

from tui.action import Action, may_write

WORK: Final[tuple[Action, ...]] = (
    # -- log -------------------------------------------------------------------------------------------------------
    Action(
        id="filter", key="slash", label="Filter", title="Filter the log", scope="log", footer=1, shown_key="/",
        help="Keeps the runs of one certificate, or those with an entry that contains what you type. Esc shows all again.",
    ),
    Action(
        id="zoom", key="enter,ctrl+j", label="Steps", title="Show the steps of this run on the whole screen", scope="log",
        footer=2, shown_key="enter", applies=lambda situation: bool(situation.row), also="open details time",
        help="Shows every step of the run with its time since the run began, and back.",
        otherwise="No run is selected.",
    ),
    Action(
        id="older", key="o", label="Older", title="Read older entries", scope="log", footer=4,
        applies=lambda situation: situation.row_kind == "more",
        help="Reads the next older entries. This happens automatically at the end of the list.",
        otherwise="The last row of the list reads older entries, if there are any.",
    ),
    Action(
        id="verify", key="v", label="Verify", title="Verify the log", scope="log", footer=3,
        commands=("log",), help="Checks the chain of hashes through the whole log, and shows whether an entry was altered.",
    ),
    # -- progress --------------------------------------------------------------------------------------------------
    Action(
        id="close", key="enter,ctrl+j", label="Close", title="Close this page", scope="progress", footer=1, shown_key="enter",
        applies=lambda situation: not situation.busy, help="Goes back, once the operation has ended.",
        while_busy="It is not finished yet. esc leaves this page, and it continues.",
    ),
    Action(
        id="stop", key="ctrl+x", label="Stop", title="Stop the operation", scope="progress", footer=2,
        applies=lambda situation: situation.busy,
        help="Asks the operation to stop at the next safe point. The live certificate is unchanged; an open "
        "order can be completed later.",
        otherwise="The operation has ended.",
    ),
    Action(
        id="in-full", key="v", label="In full", title="Show every event", scope="progress", footer=3,
        help="Shows every event as a line, in the CA's words, instead of the steps; and back.",
    ),
    # -- issue wizard ----------------------------------------------------------------------------------------------
    Action(
        id="next", key="enter,ctrl+n,ctrl+j", label="Next", title="Continue to the next step", scope="issue", footer=1,
        shown_key="enter",
        applies=lambda situation: situation.step < 5,
        help="Checks this step and continues. Problems are shown at their field. Ctrl+N does the same from every field.",
        otherwise="This is the last step.",
    ),
    Action(
        id="order", key="enter,ctrl+n,ctrl+j", label="Issue", title="Issue the certificate", scope="issue-check", footer=1,
        shown_key="enter", also="order",
        help="Orders the certificate and deploys it to the chosen services. Where a check failed, it asks first.",
    ),
    Action(
        id="test-provider", key="x", label="Test", title="Test this DNS provider", scope="issue-proof", footer=2,
        applies=lambda situation: situation.row_kind == "dns-provider" and bool(situation.row),
        help="Writes a record with it, looks for it at every name server, removes it, and comes back here.",
        otherwise="Choose a DNS provider first.",
    ),
    Action(
        id="add-provider", key="n", label="New", title="Add a DNS provider", scope="issue-proof", footer=3,
        applies=lambda situation: situation.row_kind == "dns-provider",
        help="Opens the form of a DNS provider, and comes back here with it chosen. Nothing you entered is lost.",
        otherwise="It is for validation with a DNS provider.",
    ),
    Action(
        id="copy", key="c", label="Copy", title="Copy these lines", scope="issue-proof", footer=2,
        applies=lambda situation: situation.row_kind == "http-01",
        commands=("snippet",), also="nginx haproxy apache snippet",
        help="Copies the lines to the clipboard of your terminal (OSC 52). Not every terminal supports it.",
        otherwise="There are no lines to copy: they are for HTTP-01.",
    ),
    Action(
        id="check-again", key="ctrl+r,f5", label="Check again", title="Run the checks again", scope="issue-check", footer=2,
        help="Checks the network and the services again, after a fix.",
    ),
    Action(
        id="stop", key="ctrl+x", label="Stop", title="Stop the order", scope="issue-run", footer=2,
        applies=lambda situation: situation.busy,
        help="Asks the order to stop at the next safe point. The live certificate is unchanged.",
        otherwise="The order has ended.",
    ),
    Action(
        id="try-again", key="r", label="Try again", title="Order it again", scope="issue-run", footer=2,
        applies=lambda situation: situation.row_kind == "failed",
        help="Orders again with everything you entered, after you have fixed the cause.",
        otherwise="The order has not failed.",
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
        id="save", key="ctrl+s,enter,ctrl+j", label="Create", title="Create the certificate, or close", scope="first-boot",
        footer=1, shown_key="enter", help="Creates the self-signed certificate with these names, then closes this screen.",
    ),
    # -- upload ----------------------------------------------------------------------------------------------------
    Action(
        id="upload", key="u", label="Upload", title="Upload a certificate from elsewhere", footer=2,
        # On the first screen only: elsewhere there is no certificate under the cursor, and there is a screen to go back to.
        applies=lambda situation: may_write(situation) and (situation.lineage is not None or not situation.can_go_back),
        help="Reads a certificate from elsewhere, by path or paste, and checks it before you apply it.",
        opens="tui.screens.upload:UploadScreen", steady=True, commands=("import", "check"),
        also="import paste pfx pem bought check file",
        otherwise="Uploading starts on the first screen.",
    ),
    Action(
        id="apply", key="ctrl+s", label="Apply", title="Apply the certificate", scope="upload", applies=may_write, footer=1,
        help="Deploys it to its services as one transaction. Off while a check fails; warnings are allowed.",
    ),
    Action(
        id="choose-file", key="ctrl+o", label="Choose files", title="Add a file by its path", scope="upload", footer=2,
        help="Asks for a path, with Tab to complete it. Several files can be added, one after another.",
    ),
    Action(
        id="passphrase", key="ctrl+t", label="Passphrase", title="Give the passphrase", scope="upload", footer=3,
        applies=lambda situation: situation.row_kind == "protected",
        help="Asks for the passphrase of a protected key or PFX again.",
        otherwise="No passphrase is needed.",
    ),
    Action(
        id="fetch-chain", key="ctrl+l", label="Fetch chain", title="Fetch the missing part of the chain", scope="upload",
        footer=3, applies=lambda situation: situation.row_kind == "incomplete",
        help="Downloads the issuer's certificate from the address in the certificate. Nothing else is fetched.",
        otherwise=(
            ("no certificate", "There is no certificate yet."),
            ("protected", "The file needs its passphrase first: ^t."),
            ("fetched", "It was fetched already; the checks say what is still missing."),
            ("no address", "The certificate has no web address of its issuer."),
            ("", "No part of its chain is missing."),
        ),
    ),
    Action(
        id="requests", key="ctrl+r", label="Requests", title="Make a signing request (CSR)", scope="upload", footer=4,
        help="For a CA that needs a request: the key is made on this box and stays here. Shows the open requests, too.",
    ),
    # -- signing requests ------------------------------------------------------------------------------------------
    Action(
        id="new", key="n", label="New", title="Create a signing request", scope="requests", applies=may_write, footer=1,
        help="Asks for its names, key type and subject, creates the key, and shows the request.",
    ),
    Action(
        id="copy", key="c", label="Copy", title="Copy the request", scope="requests", footer=2,
        applies=lambda situation: bool(situation.row),
        help="Copies the request to the clipboard of your terminal (OSC 52). Not every terminal supports it; p always works.",
        otherwise="There is no request.",
    ),
    Action(
        id="plain", key="p", label="Plain view", title="Print the request on the plain terminal", scope="requests", footer=3,
        applies=lambda situation: bool(situation.row),
        help="Leaves the console for a moment and prints the request, to be selected with the mouse. Esc comes back.",
        otherwise="There is no request.",
    ),
    Action(
        id="save-file", key="e", label="Save", title="Save the request to a file", scope="requests", footer=4,
        applies=lambda situation: bool(situation.row),
        help="Writes the request to a file on this box. It is no secret; its key stays sealed.",
        otherwise="There is no request.",
    ),
    Action(
        id="forget", key="delete,D", label="Delete", title="Delete this request and its key", scope="requests", footer=4,
        applies=lambda situation: may_write(situation) and bool(situation.row), shown_key="del",
        help="For a request that is no longer needed. A certificate for it can no longer be used.",
        otherwise="There is no request.",
    ),
    # -- deleted certificates --------------------------------------------------------------------------------------
    Action(
        id="bring-back", key="enter,ctrl+j", label="Restore", title="Restore this certificate", scope="deleted", footer=1,
        shown_key="enter", commands=("undelete",),
        applies=lambda situation: may_write(situation) and bool(situation.row) and situation.row_kind != "in the way",
        help="Restores its key, its versions and its settings. Nothing is deployed.",
        otherwise=(("in the way", "A certificate with its name exists."), ("", "There is nothing to restore.")),
    ),
    # -- certificates of other clients -----------------------------------------------------------------------------
    Action(
        id="take-over", key="enter,ctrl+j", label="Take over", title="Take over the selected certificates", scope="adopt", footer=1,
        shown_key="enter", applies=lambda situation: may_write(situation) and bool(situation.row), commands=("adopt",),
        help="Copies certificate, key and renewal settings; without a selection, of the one under the cursor. Space selects.",
        otherwise="There is nothing to take over.",
    ),
    Action(
        id="try", key="x", label="What if", title="Preview taking them over", scope="adopt", footer=2,
        applies=lambda situation: bool(situation.row), help="Shows every step, and what cannot be taken over. Changes nothing.",
        otherwise="There is nothing to take over.",
    ),
    Action(
        id="tick-all", key="a", label="Select all", title="Select everything that can be taken over", scope="adopt", footer=3,
        applies=lambda situation: bool(situation.row), help="Selects all of them, or none if all are selected.",
        otherwise="There is nothing to take over.",
    ),
    # -- services of this box --------------------------------------------------------------------------------------
    Action(
        id="take-over", key="enter,ctrl+j", label="Take over", title="Add these services as targets", scope="services", footer=1,
        shown_key="enter", applies=lambda situation: may_write(situation) and situation.row_kind == "free",
        help="Adds the selected services, or the one under the cursor, as targets. They keep their certificates for now.",
        otherwise="It is a target already, or certdeck cannot make it one.",
    ),
)  # fmt: skip
