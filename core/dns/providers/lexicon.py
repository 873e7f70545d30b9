"""The providers of dns-lexicon, an optional extra: each change runs in a separate child process with a time limit.

Lexicon has no time limits, guesses zones with requests to the internet, logs to various places, and its providers differ in
what a repeated operation does. A child process that gets all parameters and reads before and after each change isolates
certdeck from all that. Lexicon itself tells which options a provider has; secret ones are recognized by their names.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from core.child import ask_child, forms
from core.dns.changes import ATTEMPTS, PAUSE_SECONDS, SETTLE_SECONDS, contested
from core.dns.provider import CA_BUNDLE, Access, EntryField, ProviderKind, TxtRecord, provider_error
from core.dns.providers.lexicon_child import MARK
from core.dns.stderr_tail import stderr_tail
from core.errors import DnsProviderError, NotFound

PREFIX = "lexicon:"
CHILD = Path(__file__).with_name("lexicon_child.py")
SECONDS_TO_START = 90
SECONDS_FOR_A_RECORD = 15

SECRET_WORDS = frozenset({"2fa", "key", "pass", "passphrase", "password", "phrase", "secret", "token", "psw", "info"})
NO_SECRET_ENDINGS = frozenset({"id", "keyid", "file", "region", "type", "name", "username", "url", "version", "server"})
"""What the name of a secret never ends with: `auth_key_id`, `api_protocol_version`."""
_EXTRA = re.compile(r"(?P<package>[\w-]+)\s*[<>=]+\s*[\d.-]+\s*;\s*extra\s*==\s*[\"'](?P<extra>[\w-]+)[\"']")
"""A line of dns-lexicon's metadata that names a package that one of its providers needs."""
LEFT_OUT = {
    "auto": "it guesses the provider; name the provider itself",
    "namecheap": "dns-lexicon rewrites the whole zone there and can lose records; use certdeck's own kind namecheap",
}


class Lexicon:
    """One account at one provider of lexicon. See `core.dns.provider.DnsProvider`."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._kind = lexicon_kind(access.kind.removeprefix(PREFIX))
        self._provider = access.kind.removeprefix(PREFIX)

    def zones(self) -> tuple[str, ...]:
        return ()

    def change(self, zone: str, *, add: Sequence[TxtRecord] = (), remove: Sequence[TxtRecord] = ()) -> None:
        adding = [*dict.fromkeys(add)]
        removing = [record for record in dict.fromkeys(remove) if record not in adding]
        if not adding and not removing:
            return
        asked = {
            "provider": self._provider,
            "zone": zone,
            "options": self._options(),
            "ttl": self._ttl(),
            "add": [(record.name, record.value) for record in adding],
            "remove": [(record.name, record.value) for record in removing],
        }
        seconds = SECONDS_TO_START + SECONDS_FOR_A_RECORD * (len(adding) + len(removing))
        clock, cancel = self._access.env.clock, self._access.cancel
        for attempt in range(ATTEMPTS):
            if attempt:
                clock.sleep(SETTLE_SECONDS + self._access.env.random.uniform(*PAUSE_SECONDS), cancel)
            said = self._run(asked, seconds, zone)
            # If others have values there, or the list may be out of date, read again until nothing is left to do.
            if said["stands"] and (said["alone"] or (attempt and not said["changed"])):
                return
        raise contested(self._access, self._kind.title, (adding + removing)[0].name)

    def close(self) -> None:
        """Does nothing: no connection is kept open."""

    # -- the child process ---------------------------------------------------------------------------------------------

    def _run(self, asked: Mapping[str, object], seconds: float, zone: str) -> Mapping[str, Any]:
        said, done = ask_child(
            self._access.env,
            CHILD,
            MARK,
            asked,
            seconds=seconds,
            cancel=self._access.cancel,
            ca_bundle=self._access.settings.get("ca_bundle"),
            also_home=("TLDEXTRACT_CACHE_PATH",),
        )
        if said is not None and "error" not in said:
            return said
        words = stderr_tail(
            str(said["said"]) if said else done.output,
            (form for secret in self._access.secrets.values() for form in forms(secret)),
        )
        if done.timed_out:
            raise provider_error(
                self._access,
                "temporary",
                f"{self._kind.title} did not respond in time.",
                f"The attempt was stopped after {seconds:g} s.",
                "Try again later; check this box's network and proxy settings.",
            )
        if said is None:
            raise provider_error(
                self._access,
                "refused",
                f"The helper process for {self._kind.title} exited without a result.",
                f"Its last output: {words}" if words else f"It exited with status {done.returncode}.",
                "Install dns-lexicon again: pip install --force-reinstall 'certdeck[dns-more]'.",
            )
        raise self._failure(said, words, zone)

    def _options(self) -> dict[str, Any]:
        """Return the options in the form that lexicon expects. Raises DnsProviderError if all secrets are missing."""
        kinds = {action.dest: action for action in _actions(self._provider)}
        given = {**self._access.settings, **self._access.secrets}
        if self._kind.secrets and not any(self._access.secrets.get(field.key) for field in self._kind.secrets):
            raise provider_error(
                self._access,
                "credentials",
                f"{self._access.name} has no credentials for {self._kind.title}.",
                f"These secrets are not in the vault: {', '.join(field.key for field in self._kind.secrets)}.",
                f"Set what the provider needs: certdeck dns add {self._access.name} --replace … --secret KEY=FILE.",
            )
        return {
            key: _typed(kinds[key], value.strip()) for key, value in given.items() if key in kinds and value.strip()
        }

    def _ttl(self) -> int | None:
        ttl = self._access.settings.get("ttl", "")
        return int(ttl) if _check_ttl(ttl) is None and ttl else None

    def _failure(self, said: Mapping[str, Any], words: str, zone: str) -> DnsProviderError:
        kinds, status = said.get("error") or [], said.get("status")
        why = f"dns-lexicon says: {words}" if words else f"dns-lexicon raised {kinds[0] if kinds else 'an error'}."
        details = {"status": status} if status else None
        if "AuthenticationError" in kinds or status in (401, 403):
            return provider_error(
                self._access,
                "credentials",
                f"{self._kind.title} rejected the credentials of {self._access.name}, or has no zone {zone}.",
                why,
                "Check the secrets and settings of the entry, their permission to change the zone, and that the zone exists.",
                details=details,
            )
        if "ModuleNotFoundError" in kinds:
            return provider_error(
                self._access,
                "refused",
                f"A package that {self._kind.title} needs is missing.",
                why,
                f"Install it: pip install 'dns-lexicon[{self._provider}]'.",
            )
        if {"ConnectionError", "Timeout", "OSError"} & {*kinds} and not status and "HTTPError" not in kinds:
            return provider_error(
                self._access,
                "unreachable",
                f"{self._kind.title} cannot be reached.",
                why,
                "Check this box's network, DNS and proxy settings, and any addresses in the settings of the entry.",
            )
        return provider_error(
            self._access,
            "temporary" if isinstance(status, int) and (status == 429 or status >= 500) else "refused",
            f"The records of {zone} could not be changed at {self._kind.title}.",
            why,
            "Check the settings of the entry; the documentation of dns-lexicon explains them.",
            details=details,
        )


# -- what lexicon provides -----------------------------------------------------------------------------------------------


@cache
def lexicon_names() -> tuple[str, ...]:
    """Return the providers that can be used here; empty if dns-lexicon is not installed."""
    return tuple(sorted(name for name, is_complete in providers().items() if is_complete and name not in LEFT_OUT))


@cache
def lexicon_kind(name: str) -> ProviderKind:
    """Return a provider of lexicon as a kind, with a form built from its own options.

    Raises NotFound if the provider does not exist, lacks packages or is excluded, or if dns-lexicon is not installed.
    """
    known = providers()
    if not known:
        raise NotFound(
            f"The kind {PREFIX}{name} needs dns-lexicon.",
            "It is an optional part of certdeck and is not installed here.",
            "Install it: pip install 'certdeck[dns-more]'.",
        )
    if name in LEFT_OUT:
        raise NotFound(
            f"The kind {PREFIX}{name} is not supported.",
            f"{LEFT_OUT[name].capitalize()}.",
            "List the kinds with: certdeck dns kinds",
        )
    if name not in known:
        from difflib import get_close_matches

        near = get_close_matches(name, lexicon_names(), n=1)
        raise NotFound(
            f"dns-lexicon has no provider {name!r}.",
            f"Did you mean {PREFIX}{near[0]}?" if near else "No provider has a similar name.",
            f"Its providers: {', '.join(lexicon_names())}.",
        )
    if not known[name]:
        raise NotFound(
            f"The kind {PREFIX}{name} needs more packages.",
            "The packages that dns-lexicon uses for this provider are not installed.",
            f"Install it: pip install 'dns-lexicon[{name}]'.",
        )
    return ProviderKind(
        name=f"{PREFIX}{name}",
        title=f"{name} (dns-lexicon)",
        fields=(*map(_field, _actions(name)), _TTL, CA_BUNDLE),
        help="Fill in the fields that this provider needs; dns-lexicon does not say which are required.",
        connect=Lexicon,
        notes=(
            "dns-lexicon runs in a separate process. Name the zones of the entry; dns-lexicon cannot list them.",
            "Other values are checked before and after each change. certdeck's own kinds are safer where they exist.",
        ),
    )


@cache
def providers() -> Mapping[str, bool]:
    """Return every provider of lexicon and whether its packages are installed; empty if lexicon is not installed.

    Same result as `lexicon._private.discovery.find_providers`, whose import loads all of lexicon and takes half a second.
    """
    from importlib.metadata import PackageNotFoundError, distribution
    from importlib.util import find_spec

    spec = find_spec("lexicon")
    if spec is None or not spec.submodule_search_locations:
        return {}
    needed: dict[str, list[str]] = {}
    try:
        for requirement in distribution("dns-lexicon").requires or ():
            match = _EXTRA.fullmatch(requirement)
            if match:
                needed.setdefault(match["extra"], []).append(match["package"])
    except PackageNotFoundError:
        pass
    folder = Path(spec.submodule_search_locations[0]) / "_private" / "providers"
    names = sorted(name for _, name, _ in iter_modules([str(folder)]) if name != "base")
    return {name: all(map(_is_installed, needed.get(name, ()))) for name in names}


def _is_installed(package: str) -> bool:
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        distribution(package)
    except PackageNotFoundError:
        return False
    return True


@cache
def _actions(name: str) -> tuple[argparse.Action, ...]:
    parser = argparse.ArgumentParser(add_help=False)
    import_module(f"lexicon._private.providers.{name}").Provider.configure_parser(parser)
    own = {_TTL.key, CA_BUNDLE.key}
    return tuple(action for action in parser._actions if action.option_strings and action.dest not in own)


def _field(action: argparse.Action) -> EntryField:
    help = " ".join((action.help or "").split())
    return EntryField(
        key=action.dest,
        label=action.dest.replace("_", " ").strip().capitalize(),
        help=f"{help[0].upper()}{help[1:].rstrip('.')}." if help else "",
        secret=_is_secret(action),
        required=False,
        default="" if action.default is None or action.nargs == 0 else str(action.default),
        choices=("true", "false") if action.nargs == 0 else tuple(map(str, action.choices or ())),
    )


def _is_secret(action: argparse.Action) -> bool:
    words = re.split(r"[_-]", action.dest.lower())
    return action.nargs != 0 and words[-1] not in NO_SECRET_ENDINGS and bool(SECRET_WORDS & {*words})


def _typed(action: argparse.Action, value: str) -> Any:
    """Convert a value as lexicon's own command line does."""
    if action.nargs == 0:
        return value.lower() in ("true", "yes", "1", "on")
    if callable(action.type):
        try:
            return action.type(value)
        except (TypeError, ValueError):
            return value
    return value


def _check_ttl(ttl: str) -> str | None:
    is_good = not ttl or (ttl.isascii() and ttl.isdigit() and 0 < int(ttl[:9]) <= 86400)
    return None if is_good else "give a number of seconds from 1 to 86400"


_TTL = EntryField(
    key="ttl",
    label="TTL",
    help="In seconds. The minimum depends on the provider. The default of dns-lexicon is an hour.",
    required=False,
    check=_check_ttl,
)
