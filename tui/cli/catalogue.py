"""Every command once: its words, the file that holds it, one line about it. Feeds help, parsing and the nearest command.

Kept free of imports, so that a command costs no other command's parser.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Entry(NamedTuple):
    """A command as the overview shows it."""

    module: str
    """Below tui.cli.commands."""
    summary: str


GROUPS: Final[dict[str, dict[str, Entry]]] = {
    "Look": {
        "status": Entry("status", "the state of every certificate"),
        "pem": Entry("export", "the certificate with its chain, as text; never a key"),
        "doctor": Entry("doctor", "what would stop an issuance, and how to fix it"),
        "self-check": Entry("self_check", "whether the program is whole and can read its state"),
        "snippet": Entry("snippet", "lines for a web server that has port 80"),
        "report": Entry("report", "one file for a bug report, without secrets"),
        "log": Entry("log", "what was done, when, by whom"),
    },
    "Get and renew": {
        "first-boot": Entry("first_boot", "a self-signed certificate for a fresh box"),
        "issue": Entry("issue", "a new certificate, deployed"),
        "complete": Entry("issue", "continue an open order"),
        "renew": Entry("renew", "renew what is due (the scheduled run; also --renew)"),
        "schedule show": Entry("schedule", "the state of the timer: last run, next run, last error"),
        "schedule on": Entry("schedule", "renew automatically, with a systemd timer or cron"),
        "schedule off": Entry("schedule", "stop renewing automatically"),
        "schedule run": Entry("schedule", "run now what the timer runs"),
        "set": Entry("lineage", "change a certificate's issuer, and whether and when it renews"),
    },
    "From elsewhere": {
        "csr": Entry("csr", "a signing request for another CA; its key stays here"),
        "check": Entry("check", "look at a certificate from elsewhere; changes nothing"),
        "adopt": Entry("adopt", "take over what certbot, acme.sh, lego … manage here"),
        "import": Entry("import_", "check a certificate from elsewhere, and apply it"),
    },
    "Use": {
        "deploy": Entry("deploy", "put the newest version onto its targets"),
        "rollback": Entry("deploy", "put the previous version onto its targets"),
        "export": Entry("export", "copy a certificate to a file: pem, pfx, der …"),
        "revoke": Entry("lineage", "ask the CA to revoke a certificate"),
        "delete": Entry("lineage", "delete a certificate"),
        "undelete": Entry("undelete", "restore a deleted certificate; list them"),
    },
    "CAs and accounts": {
        "issuer list": Entry("issuer", "the CAs that can be ordered from"),
        "issuer show": Entry("issuer", "a CA, its limits, and what this box has used of them"),
        "issuer compare": Entry("issuer", "the CAs side by side: price, lifetime, names, limits …"),
        "issuer add": Entry("issuer", "add a CA by its directory URL"),
        "issuer remove": Entry("issuer", "remove a CA that was added"),
        "issuer default": Entry("issuer", "choose the CA for new certificates"),
        "issuer test": Entry("issuer", "ask a CA's directory what it offers"),
        "issuer agree": Entry("issuer", "agree to a CA's terms of service"),
        "issuer root": Entry("issuer", "the root certificate of this box's private CA"),
        "account list": Entry("account", "the accounts at the CAs"),
        "account eab": Entry("account", "bind an account that the CA knows (EAB)"),
        "account contact": Entry("account", "change the address that the CA writes to"),
        "account rollover": Entry("account", "give an account a new key"),
        "account import": Entry("account", "use the account of another client, by its key"),
        "account deactivate": Entry("account", "deactivate an account permanently"),
    },
    "DNS providers": {
        "dns list": Entry("dns", "the DNS providers that names are proven with"),
        "dns kinds": Entry("dns", "the supported providers, and what each needs"),
        "dns add": Entry("dns", "add or change a DNS provider"),
        "dns test": Entry("dns", "try a DNS provider with a record of its own"),
        "dns remove": Entry("dns", "remove a DNS provider and its secrets"),
    },
    "Targets": {
        "target list": Entry("target", "the targets: services that certdeck deploys to"),
        "target kinds": Entry("target", "the supported services, and how each takes a certificate"),
        "target show": Entry("target", "a target: its files, its commands, and what to know about it"),
        "target add": Entry("target", "add or change a target"),
        "target detect": Entry("target_detect", "find the TLS services of this box, and what each serves"),
        "target test": Entry("target", "check a target: its files, its test and its TLS"),
        "target remove": Entry("target", "remove a target"),
        "web show": Entry("web", "TLS settings and headers of a web server, and what it sends"),
        "web apply": Entry("web", "set up TLS, security headers and the redirect of a web server"),
        "web remove": Entry("web", "remove these settings"),
    },
    "Notifications": {
        "notify list": Entry("notify", "who gets which notifications"),
        "notify kinds": Entry("notify", "the kinds of notification, and what each needs"),
        "notify add": Entry("notify", "add or change a notification: mail, webhook …"),
        "notify test": Entry("notify", "send a test message"),
        "notify remove": Entry("notify", "remove a notification and its secrets"),
    },
    "Backup and keys": {
        "backup": Entry("backup", "everything but the log, in one sealed file"),
        "restore": Entry("backup", "restore a backup on this box or another one"),
        "vault move": Entry("vault", "move the master key to a file, a passphrase or a credential"),
        "vault rotate": Entry("vault", "seal every secret under a new master key"),
        "vault new": Entry("vault", "start a new vault when the master key is lost"),
    },
    "Several boxes": {
        "fleet init": Entry("fleet", "create the fleet, on its first hub"),
        "fleet join": Entry("fleet", "ask to join the fleet, and read the answer"),
        "fleet ticket": Entry("fleet", "what a new box needs if etcd asks for a password"),
        "fleet devices": Entry("fleet", "the boxes, and those that ask to join"),
        "fleet approve": Entry("fleet", "let a box in, by its id"),
        "fleet remove": Entry("fleet", "remove a box; what it had gets new keys"),
        "fleet status": Entry("fleet", "the leader, what each device serves, which are behind"),
        "fleet sync": Entry("fleet", "deploy once what this device should serve"),
        "fleet watch": Entry("fleet", "do this box's share until stopped (the service)"),
        "fleet service": Entry("fleet", "keep `fleet watch` running, with systemd"),
    },
}
"""Group → command → entry, in the order of the overview."""

COMMANDS: Final[dict[str, Entry]] = {words: entry for group in GROUPS.values() for words, entry in group.items()}

FAMILIES: Final = frozenset(words.split()[0] for words in COMMANDS if " " in words)
"""First words that need a second one; alone they mean one of ALONE, where there is one."""

ALONE: Final = ("list", "show")
