"""The table of all commands: words, module, summary. Used for help, parsing and the suggestion of a similar command.

It has no imports, so that no command loads another command's parser.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Entry(NamedTuple):
    """A command in the overview."""

    module: str
    """Name of the module in tui.cli.commands."""
    summary: str


GROUPS: Final[dict[str, dict[str, Entry]]] = {
    "Show and check": {
        "status": Entry("status", "show the state of every certificate"),
        "pem": Entry("export", "print a certificate and its chain as text; never a key"),
        "doctor": Entry("doctor", "find what would prevent issuing, and how to fix it"),
        "self-check": Entry("self_check", "check that the program is complete and can read its state"),
        "snippet": Entry("snippet", "print the HTTP-01 configuration for a web server on port 80"),
        "report": Entry("report", "write one file for a bug report, without secrets"),
        "log": Entry("log", "show what was done, when and by whom"),
    },
    "Issue and renew": {
        "first-boot": Entry("first_boot", "create a self-signed certificate for a fresh box"),
        "issue": Entry("issue", "order a certificate and deploy it"),
        "complete": Entry("issue", "continue an open order"),
        "renew": Entry("renew", "renew what is due (the scheduled run; also --renew)"),
        "schedule show": Entry("schedule", "show the timer: last run, next run, last error"),
        "schedule on": Entry("schedule", "renew automatically, with a systemd timer or cron"),
        "schedule off": Entry("schedule", "stop renewing automatically"),
        "schedule run": Entry("schedule", "start the scheduled run now"),
        "set": Entry("lineage", "change a certificate's issuer, and whether and when it renews"),
    },
    "Import": {
        "csr": Entry("csr", "create a signing request for another CA; its key stays here"),
        "check": Entry("check", "check a certificate from elsewhere; changes nothing"),
        "adopt": Entry("adopt", "take over the certificates of certbot, acme.sh, lego … on this box"),
        "import": Entry("import_", "check a certificate from elsewhere, and apply it"),
    },
    "Deploy and manage": {
        "deploy": Entry("deploy", "deploy the newest version to its targets"),
        "rollback": Entry("deploy", "deploy the previous version to its targets"),
        "export": Entry("export", "copy a certificate to a file: pem, pfx, der …"),
        "revoke": Entry("lineage", "ask the CA to revoke a certificate"),
        "delete": Entry("lineage", "delete a certificate"),
        "undelete": Entry("undelete", "list deleted certificates, or restore one"),
    },
    "CAs and accounts": {
        "issuer list": Entry("issuer", "list the available CAs"),
        "issuer show": Entry("issuer", "show a CA, its rate limits, and how much this box has used"),
        "issuer compare": Entry("issuer", "compare the CAs: price, lifetime, names, limits …"),
        "issuer add": Entry("issuer", "add a CA by its directory URL"),
        "issuer remove": Entry("issuer", "remove a CA that was added"),
        "issuer default": Entry("issuer", "choose the CA for new certificates"),
        "issuer test": Entry("issuer", "test a CA's directory, and show what it offers"),
        "issuer agree": Entry("issuer", "accept a CA's terms of service"),
        "issuer root": Entry("issuer", "print the root certificate of this box's private CA"),
        "account list": Entry("account", "list the accounts at the CAs"),
        "account eab": Entry("account", "set an external account binding (EAB)"),
        "account contact": Entry("account", "change the contact address of an account"),
        "account rollover": Entry("account", "give an account a new key"),
        "account import": Entry("account", "import the account of another client by its key"),
        "account deactivate": Entry("account", "deactivate an account permanently"),
    },
    "DNS providers": {
        "dns list": Entry("dns", "list the DNS providers for validation"),
        "dns kinds": Entry("dns", "list the supported providers, and what each needs"),
        "dns add": Entry("dns", "add or change a DNS provider"),
        "dns test": Entry("dns", "test a DNS provider with a test record"),
        "dns remove": Entry("dns", "remove a DNS provider and its secrets"),
    },
    "Targets": {
        "target list": Entry("target", "list the targets: services that certdeck deploys to"),
        "target kinds": Entry("target", "list the supported services, and how each loads a certificate"),
        "target show": Entry("target", "show a target: its files, its commands, and remarks"),
        "target add": Entry("target", "add or change a target"),
        "target detect": Entry("target_detect", "find the TLS services of this box and their certificates"),
        "target test": Entry("target", "check a target: its files, its test and its TLS"),
        "target remove": Entry("target", "remove a target"),
        "web show": Entry("web", "show TLS settings and headers of a web server, and what it sends"),
        "web apply": Entry("web", "set up TLS, security headers and the redirect of a web server"),
        "web remove": Entry("web", "remove the settings of `web apply`"),
    },
    "Notifications": {
        "notify list": Entry("notify", "list the notifications, and who gets them"),
        "notify kinds": Entry("notify", "list the kinds of notification, and what each needs"),
        "notify add": Entry("notify", "add or change a notification: mail, webhook …"),
        "notify test": Entry("notify", "send a test message"),
        "notify remove": Entry("notify", "remove a notification and its secrets"),
    },
    "Backup and keys": {
        "backup": Entry("backup", "write everything but the log to one sealed file"),
        "restore": Entry("backup", "restore a backup on this box or another one"),
        "vault move": Entry("vault", "move the master key to a file, a passphrase or a credential"),
        "vault rotate": Entry("vault", "seal every secret under a new master key"),
        "vault new": Entry("vault", "create a new vault if the master key is lost"),
    },
    "Several boxes": {
        "fleet init": Entry("fleet", "create the fleet, on its first hub"),
        "fleet join": Entry("fleet", "ask to join the fleet, and apply the response"),
        "fleet ticket": Entry("fleet", "print what a new box needs if etcd requires a password"),
        "fleet devices": Entry("fleet", "list the boxes, and requests to join"),
        "fleet approve": Entry("fleet", "approve a box by its ID"),
        "fleet remove": Entry("fleet", "remove a box; its certificates get new keys"),
        "fleet status": Entry("fleet", "show the leader, and what each device serves"),
        "fleet sync": Entry("fleet", "deploy once what this device should serve"),
        "fleet watch": Entry("fleet", "do the work of this box until stopped (the service)"),
        "fleet service": Entry("fleet", "keep `fleet watch` running, with systemd"),
    },
}
"""Entries by group and command, in the order of the overview."""

COMMANDS: Final[dict[str, Entry]] = {words: entry for group in GROUPS.values() for words, entry in group.items()}

FAMILIES: Final = frozenset(words.split()[0] for words in COMMANDS if " " in words)
"""First words that need a second word. Alone they mean a command in ALONE, if there is one."""

ALONE: Final = ("list", "show")
