"""A custom program that adds and removes records.

It is started without a shell, with three arguments: `present` or `cleanup`, the record's name, its value. Secrets of the entry,
and settings that certdeck does not use, are passed in its environment and to no other process. Status 0 means success.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.dns.provider import Access, EntryField, ProviderKind, TxtRecord, provider_error
from core.dns.stderr_tail import stderr_tail
from core.errors import DnsProviderError

PRESENT = "present"
CLEANUP = "cleanup"
MOST_SECONDS = 3600

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Hook:
    """One program. See `core.dns.provider.DnsProvider`."""

    def __init__(self, access: Access) -> None:
        """Raises DnsProviderError for a setting or secret whose name is not a valid variable name, or an invalid time limit."""
        self._access = access
        self._command = access.settings["command"]
        self._seconds = self._time_limit()
        own = {field.key for field in KIND.fields}
        self._variables = {key: value for key, value in access.settings.items() if key not in own} | dict(
            access.secrets
        )
        for key in self._variables:
            if not _VARIABLE.fullmatch(key):
                raise self._wrong(
                    f"{key!r} cannot be passed to a program.",
                    "Settings and secrets of a hook become environment variables, so names may contain only letters, digits and _.",
                )

    def zones(self) -> tuple[str, ...]:
        return ()

    def change(self, zone: str, *, add: Sequence[TxtRecord] = (), remove: Sequence[TxtRecord] = ()) -> None:
        for record in dict.fromkeys(add):
            self._run(PRESENT, record)
        for record in dict.fromkeys(remove):
            if record not in add:
                self._run(CLEANUP, record)

    def close(self) -> None:
        """Does nothing: no connection is kept open."""

    def _run(self, verb: str, record: TxtRecord) -> None:
        argv = [self._command, verb, record.name, record.value]
        self._access.env.check_command(argv)
        done = self._access.env.runner.run(
            argv,
            timeout=self._seconds,
            cancel=self._access.cancel,
            extra_env=self._variables,
        )
        if done.returncode == 0 and not done.timed_out:
            return
        said = stderr_tail(done.output, self._access.secrets.values())
        if done.timed_out:
            end = f"It took longer than {self._seconds:g} s and was stopped."
            fix = "Find out what it waits for, or increase `timeout_seconds`."
        elif done.returncode == 127:
            end = "It could not be started."
            fix = (
                "Check `command`: the absolute path of one executable program, whose first line (#!) names an "
                "interpreter if it is a script."
            )
        elif done.returncode < 0:
            end = f"It was killed by signal {-done.returncode}."
            fix = "See the program's own log."
        else:
            end = f"It exited with status {done.returncode}."
            fix = f"Run it manually as certdeck does: {self._command} {verb} {record.name} VALUE."
        raise provider_error(
            self._access,
            "temporary" if done.timed_out else "refused",
            f"The hook {self._command} did not {'set' if verb == PRESENT else 'remove'} the record {record.name}.",
            f"{end} Its last output: {said}" if said else end,
            fix,
            details={"status": done.returncode},
        )

    def _time_limit(self) -> float:
        seconds = self._access.settings["timeout_seconds"]
        problem = _check_seconds(seconds)
        if problem:
            raise self._wrong(f"The setting timeout_seconds is not valid: {seconds!r}.", f"Correct it: {problem}.")
        return float(seconds)

    def _wrong(self, what: str, why: str) -> DnsProviderError:
        return provider_error(
            self._access,
            "refused",
            what,
            why,
            f"Correct the entry {self._access.name}: certdeck dns add {self._access.name} --replace --kind hook …",
        )


def _check_command(command: str) -> str | None:
    if command.startswith("/") or "/" not in command:
        return None
    return "give the absolute path: a scheduled run starts in another folder"


def _check_seconds(seconds: str) -> str | None:
    is_good = seconds.isascii() and seconds.isdigit() and 0 < int(seconds[:6]) <= MOST_SECONDS
    return None if is_good else f"give a number from 1 to {MOST_SECONDS}"


KIND = ProviderKind(
    name="hook",
    title="Custom program",
    fields=(
        EntryField(
            key="command",
            label="Program",
            help="Its absolute path. It is called with present or cleanup, the record's name, and its value.",
            check=_check_command,
        ),
        EntryField(
            key="timeout_seconds",
            label="Time limit",
            help="Maximum seconds for one call.",
            required=False,
            default="120",
            check=_check_seconds,
        ),
    ),
    help="Write a program that adds (present NAME VALUE) and removes (cleanup NAME VALUE) one TXT record and exits with status 0. "
    "A name can have several values, so the program must add and not replace.",
    connect=Hook,
    has_zones=False,
    takes_any=True,
    notes=(
        "Secrets and further settings of the entry are passed as environment variables: --secret API_TOKEN=FILE becomes API_TOKEN.",
        "cleanup may be called for a value that no longer exists; this is not a failure.",
    ),
)
