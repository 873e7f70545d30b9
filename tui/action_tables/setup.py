"""Actions on the pages for setup: issuers, services, DNS providers, schedule, notifications, settings."""

from __future__ import annotations

from typing import Final

from tui.action import Action, may_write

SETUP: Final[tuple[Action, ...]] = (
    # -- issuers ---------------------------------------------------------------------------------------------------
    Action(
        id="test", key="x,enter,ctrl+j", label="Test", title="Test the directory of this issuer", scope="issuers", footer=1,
        shown_key="x",
        applies=lambda situation: situation.row_kind == "acme",
        commands=("issuer test", "issuer show", "account list"),
        help="Reads its directory: its terms, profiles, CAA names, whether it suggests renewal times, "
        "and how far our clock is off.",
        otherwise="This is only for issuers with ACME.",
    ),
    Action(
        id="make-default", key="d", label="Default", title="Make this the default issuer", scope="issuers", footer=2,
        applies=lambda situation: may_write(situation) and bool(situation.row),
        commands=("issuer default",), help="New certificates are ordered from it from now on.",
        otherwise="No issuer is selected.",
    ),
    Action(
        id="add", key="n,insert", label="New", title="Add an issuer", scope="issuers", footer=3, applies=may_write,
        commands=("issuer add",), help="Adds another CA with ACME, public or within your company, by the URL of its directory.",
    ),
    Action(
        id="set-eab", key="e", label="EAB", title="Set the external account binding", scope="issuers", footer=4,
        applies=lambda situation: may_write(situation) and situation.row_kind == "acme",
        commands=("account eab",),
        help="Saves the key ID and the HMAC key that a CA gives its customers. The HMAC key is stored in the vault.",
        otherwise="This is only for issuers with ACME.",
    ),
    Action(
        id="remove", key="delete", label="Remove", title="Remove this issuer", scope="issuers", footer=5, shown_key="del",
        applies=lambda situation: may_write(situation) and situation.row_kind == "acme",
        commands=("issuer remove",), help="Removes its settings. Refused while a certificate still needs it.",
        otherwise="This is only for issuers with ACME.",
    ),
    Action(
        id="change", key="c", label="Change", title="Change this issuer", scope="issuers", footer=6,
        applies=lambda situation: may_write(situation) and situation.row_kind == "acme",
        also="edit ca bundle directory email", help="Opens the form with the current settings: directory, "
        "title, CA bundle, e-mail.",
        otherwise="This is only for issuers with ACME.",
    ),
    Action(
        id="agree", key="a", label="Accept", title="Accept the terms of this issuer", scope="issuers", footer=6,
        applies=lambda situation: may_write(situation) and situation.row_kind == "acme", commands=("issuer agree",),
        also="tos terms of service", help="Shows where its terms of service are, and records that you accept them.",
        otherwise="This is only for issuers with ACME.",
    ),
    Action(
        id="contact", key="o", label="Contact", title="Change the contact of this account", scope="issuers", footer=7,
        applies=lambda situation: may_write(situation) and situation.row_kind == "acme", commands=("account contact",),
        also="email mail address", help="Changes the address to which the CA writes about problems.",
        otherwise="This is only for issuers with ACME.",
    ),
    Action(
        id="new-key", key="K", label="New key", title="Give this account a new key", scope="issuers", footer=8,
        applies=lambda situation: may_write(situation) and situation.row_kind == "acme", commands=("account rollover",),
        also="rollover rotate account key", help="Replaces the account key at the CA and in the vault. The account stays.",
        otherwise="This is only for issuers with ACME.",
    ),
    Action(
        id="import-account", key="p", label="Import", title="Import the account of another client", scope="issuers", footer=8,
        applies=lambda situation: may_write(situation) and situation.row_kind == "acme", commands=("account import",),
        also="certbot acme.sh lego jwk", help="Uses the account of certbot, acme.sh, lego or another client, by its key.",
        otherwise="This is only for issuers with ACME.",
    ),
    Action(
        id="deactivate", key="D", label="Deactivate", title="Deactivate this account for good", scope="issuers", footer=9,
        applies=lambda situation: may_write(situation) and situation.row_kind == "acme", commands=("account deactivate",),
        help="Closes the account at the CA. This cannot be undone; the next order creates a new one.",
        otherwise="This is only for issuers with ACME.",
    ),
    Action(
        id="root", key="v", label="Root", title="Show the root certificate of the private CA", scope="issuers", footer=2,
        applies=lambda situation: situation.row_kind == "private-ca", commands=("issuer root",),
        also="trust store pem copy root ca", help="Shows the root as PEM, to copy or print: clients must trust it.",
        otherwise="Only the private CA has its root here.",
    ),
    Action(
        id="limits", key="L", label="Limits", title="Show the limits of this issuer", scope="issuers", footer=9,
        applies=lambda situation: situation.row_kind == "acme", commands=("issuer show",), also="rate limit budget quota used left",
        help="Shows the published limits of the CA, what this box has used of each, and when one more is possible.",
        otherwise="This is only for issuers with ACME.",
    ),
    Action(
        id="compare", key="C", label="Compare", title="Compare the CAs", scope="issuers", footer=9,
        commands=("issuer compare",), also="price lifetime wildcard choose ca difference",
        help="Shows the CAs side by side: price, lifetime, names, limits, profiles.",
    ),
    # -- targets ---------------------------------------------------------------------------------------------------
    Action(
        id="test", key="x,enter,ctrl+j", label="Test", title="Test this target", scope="targets", footer=1, shown_key="x",
        applies=lambda situation: bool(situation.row),
        commands=("target test", "target show"),
        help="Checks its files, its configuration test, and what it serves. Changes nothing.",
        otherwise="There is no target. n adds one.",
    ),
    Action(
        id="add", key="n,insert", label="New", title="Add a target", scope="targets", footer=2, applies=may_write,
        commands=("target add", "target kinds"),
        help="Describes a service: paths of certificate and key, how to test and reload it, and where it serves TLS.",
    ),
    Action(
        id="change", key="e", label="Change", title="Change this target", scope="targets", footer=3,
        applies=lambda situation: may_write(situation) and bool(situation.row),
        commands=("target add",), help="Opens the same form with the current settings.",
        otherwise="There is no target. n adds one.",
    ),
    Action(
        id="remove", key="delete", label="Remove", title="Remove this target", scope="targets", footer=4, shown_key="del",
        applies=lambda situation: may_write(situation) and bool(situation.row),
        commands=("target remove",),
        help="Removes the service; its files stay as they are. Refused while a certificate is deployed to it.",
        otherwise="There is no target. n adds one.",
    ),
    Action(
        id="web", key="b", label="Web", title="Web settings of this target: HSTS, headers, redirect", scope="targets", footer=5,
        applies=lambda situation: situation.row_kind == "web", commands=("web show",),
        also="hsts security headers tls redirect",
        help="Shows the TLS settings, the security headers and the redirect of a web server, and applies or removes them.",
        otherwise="Web settings exist for nginx, Apache httpd, HAProxy and Caddy.",
    ),
    Action(
        id="kinds", key="v", label="Kinds", title="Show the kinds of services", scope="targets", footer=5,
        commands=("target kinds", "target show"), also="supported services nginx postfix dovecot reload restart sessions",
        help="Shows for each kind of service how it loads a new certificate, and remarks.",
    ),
    Action(
        id="take", key="enter,ctrl+j", label="Choose", title="Choose this kind", scope="kinds", footer=1, shown_key="enter",
        applies=lambda situation: situation.row_kind == "offered", help="Uses it in the form of the target.",
        otherwise="This kind cannot be chosen here.",
    ),
    Action(
        id="choose-kind", key="ctrl+o", label="Kinds", title="Choose the kind from a list", scope="target-form", footer=2,
        commands=("target kinds",), priority=True,
        help="Lists every kind of service, and uses the chosen one in the form.",
    ),
    # -- web settings ------------------------------------------------------------------------------------------------
    Action(
        id="apply", key="a,enter,ctrl+j", label="Apply", title="Apply these web settings", scope="web", footer=1,
        applies=lambda situation: may_write(situation) and situation.row_kind in ("absent", "outdated"), commands=("web apply",),
        help="Puts the lines into the server's configuration, tests it and reloads the server. Asks first.",
        otherwise="There is nothing to apply.",
    ),
    Action(
        id="remove", key="delete", label="Remove", title="Remove these web settings", scope="web", footer=2, shown_key="del",
        applies=lambda situation: may_write(situation) and situation.row_kind in ("applied", "outdated"), commands=("web remove",),
        help="Takes the lines out of the server's configuration, tests it and reloads the server. Asks first.",
        otherwise="There is nothing to remove.",
    ),
    Action(
        id="look-again", key="r,ctrl+r,f5", label="Look again", title="Ask the server again", scope="web", footer=3,
        commands=("web show",), help="Reads the configuration again, and asks the server what it sends.",
    ),
    # -- DNS providers -----------------------------------------------------------------------------------------------
    Action(
        id="test", key="x,T,enter,ctrl+j", label="Test", title="Test this DNS provider", scope="dns", footer=1, shown_key="x",
        applies=lambda situation: may_write(situation) and bool(situation.row),
        commands=("dns test", "dns list"),
        help="Writes a TXT record, waits until every name server has it, and removes it. Each step says what to fix.",
        otherwise="There is no DNS provider. n adds one.",
    ),
    Action(
        id="add", key="n,insert", label="New", title="Add a DNS provider", scope="dns", footer=2, applies=may_write,
        commands=("dns add",), help="Asks for the provider of your zone and its credentials. Secrets are stored in the vault.",
    ),
    Action(
        id="change", key="e", label="Change", title="Change this DNS provider", scope="dns", footer=3,
        applies=lambda situation: may_write(situation) and bool(situation.row),
        commands=("dns add",), help="Opens the same form with the current settings. Secrets are kept unless you enter new ones.",
        otherwise="There is no DNS provider. n adds one.",
    ),
    Action(
        id="remove", key="delete", label="Remove", title="Remove this DNS provider", scope="dns", footer=4, shown_key="del",
        applies=lambda situation: may_write(situation) and bool(situation.row),
        commands=("dns remove",), help="Removes it and its secrets. Refused while a certificate uses it for validation.",
        otherwise="There is no DNS provider. n adds one.",
    ),
    Action(
        id="take", key="enter,ctrl+j", label="Choose", title="Take this kind of provider", scope="dns-kind", footer=1,
        shown_key="enter", commands=("dns kinds",),
        help="Opens the form of this provider. Where the others are offered, it lists them first.",
    ),
    Action(
        id="choose-file", key="ctrl+o", label="From file", title="Read this secret from a file", scope="dns-form", footer=2,
        help="Reads the secret of the focused field from a file, without line ends at its end.",
        applies=lambda situation: situation.row_kind == "secret", priority=True,
        otherwise="This field holds no secret.",
    ),
    Action(
        id="run", key="enter,ctrl+j,ctrl+n", label="Test", title="Test with this domain", scope="dns-test", footer=1,
        shown_key="enter", applies=may_write, help="Tests it again, with the domain in the field.",
    ),
    Action(
        id="stop", key="ctrl+x", label="Stop", title="Stop the test", scope="dns-test", footer=2,
        applies=lambda situation: situation.row_kind == "running",
        help="Stops it at the next safe point. What it wrote is removed again.",
        otherwise="No test is running.",
    ),
    # -- settings --------------------------------------------------------------------------------------------------
    Action(
        id="change", key="enter,ctrl+j", label="Change", title="Change what is under the cursor", scope="settings", footer=1,
        shown_key="enter", help="Applies the theme, or turns automatic renewal of the certificate on or off.",
    ),
    Action(
        id="keep-theme", key="ctrl+s", label="Keep theme", title="Save this theme", scope="settings", footer=2,
        applies=may_write, also="theme colour color permanent save",
        help="Writes the theme to certdeck.toml, so that the console opens with it.",
    ),
    # -- schedule ----------------------------------------------------------------------------------------------------
    Action(
        id="do", key="enter,ctrl+j", label="Choose", title="Take what is under the cursor", scope="schedule", footer=1,
        shown_key="enter", applies=may_write, commands=("schedule show", "schedule on", "schedule off", "schedule run"),
        help="Turns automatic renewal on with these times, or off, or starts the scheduled run now.",
    ),
    # -- settings of one certificate ---------------------------------------------------------------------------------
    Action(
        id="do", key="enter,ctrl+j", label="Change", title="Change what is under the cursor", scope="lineage-settings", footer=1,
        shown_key="enter", applies=lambda situation: may_write(situation) and situation.row_kind != "off", commands=("set",),
        help="Changes it here, or opens the wizard if a new order is needed. The effect is shown below.",
        otherwise="It cannot be changed for this certificate.",
    ),
    # -- maintenance -------------------------------------------------------------------------------------------------
    Action(
        id="do", key="enter,ctrl+j", label="Do it", title="Do what is under the cursor", scope="maintenance", footer=1,
        shown_key="enter", applies=lambda situation: not situation.busy,
        commands=("backup", "restore", "report", "self-check", "vault rotate", "vault new"),
        help="Asks for what it needs, then does it. The result is shown below the list.",
    ),
    # -- master key --------------------------------------------------------------------------------------------------
    Action(
        id="do", key="enter,ctrl+j", label="Move", title="Move the master key there", scope="vault-move", footer=1,
        shown_key="enter", applies=lambda situation: not situation.busy, commands=("vault move",),
        help="Asks, then moves the key and seals every secret again. What is left to do stands below the list.",
    ),
    # -- doctor ------------------------------------------------------------------------------------------------------
    Action(
        id="fix", key="enter,ctrl+j", label="Fix", title="Open the page that fixes this", scope="doctor", footer=1,
        shown_key="enter", applies=lambda situation: situation.row_kind != "",
        help="Opens the page for the fix. If there is none, the fix is outside certdeck.",
        otherwise="No page of the console fixes this.",
    ),
    Action(
        id="check-again", key="r,ctrl+r,f5", label="Check again", title="Run the checks again", scope="doctor", footer=2,
        help="Checks the network, the issuer and the services again.", commands=("doctor",),
    ),
    # -- notifications -----------------------------------------------------------------------------------------------
    Action(
        id="test", key="x,enter,ctrl+j", label="Test", title="Send a test message", scope="notifications", footer=1,
        shown_key="x", applies=lambda situation: bool(situation.row), commands=("notify test", "notify list"),
        help="Sends a real message through this channel, and shows the response.",
        otherwise="There is no notification. n adds one.",
    ),
    Action(
        id="add", key="n,insert", label="New", title="Add a notification", scope="notifications", footer=2, applies=may_write,
        commands=("notify add", "notify kinds"), help="Asks for the kind: mail, webhook or a chat service.",
    ),
    Action(
        id="change", key="e", label="Change", title="Change this notification", scope="notifications", footer=3,
        applies=lambda situation: may_write(situation) and bool(situation.row), commands=("notify add",),
        help="Opens the same form with the current settings. Secrets are kept unless you enter new ones.",
        otherwise="There is no notification. n adds one.",
    ),
    Action(
        id="remove", key="delete", label="Remove", title="Remove this notification", scope="notifications", footer=4,
        shown_key="del", applies=lambda situation: may_write(situation) and bool(situation.row), commands=("notify remove",),
        help="Removes it and its secrets.",
        otherwise="There is no notification. n adds one.",
    ),
    # -- fleet -------------------------------------------------------------------------------------------------------
    Action(
        id="approve", key="a,enter,ctrl+j", label="Approve", title="Approve this box", scope="fleet", footer=1,
        applies=lambda situation: may_write(situation) and situation.row_kind == "waiting", commands=("fleet approve",),
        help="Shows its fingerprint, and adds it to the fleet when you have compared it.",
        otherwise="It does not wait for approval, or this box is not a hub.",
    ),
    Action(
        id="remove", key="delete", label="Remove", title="Remove this box from the fleet", scope="fleet", footer=2, shown_key="del",
        applies=lambda situation: may_write(situation) and situation.row_kind in ("waiting", "approved"),
        commands=("fleet remove",),
        help="It gets no more certificates, and its certificates are renewed with new keys. Asks first.",
        otherwise="There is no box to remove, or this box is not a hub.",
    ),
    Action(
        id="filter", key="slash", label="Filter", title="Filter the boxes", scope="fleet", footer=4, shown_key="/",
        applies=lambda situation: bool(situation.row),
        help="Words, or terms such as state:behind, role:hub, serves:shop; a - before one excludes. Esc shows all again.",
        otherwise="There is no box.",
    ),
    Action(
        id="look-again", key="r,ctrl+r,f5", label="Look again", title="Ask etcd again", scope="fleet", footer=3,
        commands=("fleet status", "fleet devices"), help="Reads again who leads, and what each box serves.",
    ),
)  # fmt: skip
