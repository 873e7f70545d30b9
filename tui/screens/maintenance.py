"""Maintenance of the whole box: backup and restore, report, self-check, master key, log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar, cast

from core.archives import BackupDone, RestoreDone
from core.errors import CertdeckError
from core.kept import NewLog, NewVault
from core.operations import Finding
from tui import theming
from tui.actions import bindings, of_scope
from tui.screens.tasks import Task, TasksPage
from tui.wording import text


class MaintenanceScreen(TasksPage):
    """The maintenance tasks, one row each."""

    SCOPE = "maintenance"
    BINDINGS: ClassVar = bindings(of_scope("maintenance", "page"))
    HELP_TEXT = (
        "A backup contains everything but the log in one sealed file. A restore writes it back, on this box or "
        "another one, and moves the existing files aside.\n\n"
        "The report is for a bug report and contains no secret. The self-check loads every module, opens the vault "
        "and reads every file. A new master key seals every secret again; a new vault is only for a lost key."
    )
    LIST_TITLE = "Maintenance"
    page_title = "Maintenance"

    def tasks(self) -> Sequence[Task]:
        status = self.engine.status()
        never = "never made" if status.never_backed_up else ""
        return (
            Task(
                id="backup",
                title="Back up",
                state=never,
                words=(
                    "Enter writes settings, certificates, keys and accounts into one file, sealed with a passphrase.",
                ),
            ),
            Task(
                id="elsewhere",
                title="The box is backed up elsewhere",
                words=("Enter turns the backup reminder off, if the box is backed up by other means.",),
            ),
            Task(
                id="restore",
                title="Restore",
                words=(
                    "Enter reads a backup, shows how this box differs from it, and asks before anything is changed.",
                    "The existing files are moved aside, not removed.",
                ),
            ),
            Task(
                id="report",
                title="Write a report",
                words=(
                    "Enter writes versions, settings without secrets, status and checks into one file for a bug report.",
                ),
            ),
            Task(
                id="self-check",
                title="Self-check",
                words=(
                    "Enter loads every module, opens the vault, reads every file and theme, verifies the log, and changes nothing.",
                ),
            ),
            Task(
                id="rotate",
                title="New master key",
                words=("Enter seals every secret under a new master key. Earlier backups need the old one.",),
            ),
            Task(
                id="move",
                title="Move the master key",
                state="file, passphrase, systemd credential",
                words=("Enter opens a separate page that sets where the master key is kept.",),
            ),
            Task(
                id="new-vault",
                title="New vault",
                state="when the master key is lost",
                words=(
                    "Look for a backup of etc/master.key first. Enter shows what is lost, and asks.",
                    "Certificates in service are not affected; their keys are not in the vault.",
                ),
            ),
            Task(
                id="new-log",
                title="New log",
                state="when the log cannot be verified",
                words=("Enter sets the log aside and starts a new one. The old file is kept next to it.",),
            ),
        )

    def do(self, task: Task) -> None:
        {
            "backup": self._backup,
            "elsewhere": self._elsewhere,
            "restore": self._restore,
            "report": self._report,
            "self-check": self._self_check,
            "rotate": self._rotate,
            "move": self._move,
            "new-vault": self._new_vault,
            "new-log": self._new_log,
        }[task.id]()

    # -- backup --------------------------------------------------------------------------------------------------------

    def _backup(self) -> None:
        def named(path: Path) -> None:
            self.ask_passphrase(
                "Passphrase of the backup",
                "The file and this passphrase give access to every key of this box. Without the passphrase, the "
                "backup cannot be opened.",
                lambda passphrase: self.run(
                    "backup",
                    "Writing the backup",
                    lambda: self.engine.backup(path, passphrase=passphrase),
                    _backed_up,
                ),
                confirm=True,
            )

        day = f"{self.deck.now():%Y-%m-%d}"
        self.ask_path(
            "Back up",
            "The output file of the backup.",
            str(Path.cwd() / f"certdeck-{day}.backup"),
            named,
            must_exist=False,
        )

    def _elsewhere(self) -> None:
        self.run("elsewhere", "Saving", self.engine.backed_up_elsewhere, lambda answer: "The reminder is off.")

    def _restore(self) -> None:
        def named(path: Path) -> None:
            self.ask_passphrase(
                "Passphrase of the backup",
                f"What {path.name} was sealed with.",
                lambda words: self._look(path, words),
                confirm=False,
            )

        self.ask_path("Restore", "The backup to restore from.", str(Path.cwd()) + "/", named, must_exist=True)

    def _look(self, path: Path, passphrase: bytes) -> None:
        self.say("restore", ("◐", "bar-used", "Reading the backup …"))

        def read(answer: RestoreDone | CertdeckError) -> None:
            if isinstance(answer, CertdeckError):
                self.say("restore", *_error(answer))
                return
            words = (
                f"Made on {text.printable(answer.hostname)} on {text.moment_in_words(answer.made)}: "
                f"{text.plural(answer.certificates, 'certificate')}. "
                + " ".join(text.printable(each.text) for each in answer.differences)
            )
            self.ask_yes(
                "Restore this backup?",
                f"{words}\n\nThe existing files of this box are moved aside.",
                "Restore",
                lambda: self.run(
                    "restore",
                    "Restoring",
                    lambda: self.engine.restore(path, passphrase=passphrase, replace=answer.needs_replace),
                    lambda done: f"Restored {text.plural(cast('RestoreDone', done).certificates, 'certificate')}.",
                ),
                danger=True,
            )

        self.ask(lambda: self.engine.look_at_backup(path, passphrase=passphrase), read)

    # -- report and checks ---------------------------------------------------------------------------------------------

    def _report(self) -> None:
        def named(path: Path) -> None:
            self.run(
                "report",
                "Writing the report",
                lambda: self.engine.write_report(path, texts=dict(_texts(self))),
                lambda files: f"{path} is written. Read it before you send it.",
            )

        self.ask_path(
            "Write a report",
            "The output file.",
            str(Path.cwd() / "certdeck-report.tar.gz"),
            named,
            must_exist=False,
        )

    def _self_check(self) -> None:
        self.say("self-check", ("◐", "bar-used", "Checking …"))

        def answered(answer: tuple[Finding, ...] | CertdeckError) -> None:
            if isinstance(answer, CertdeckError):
                self.say("self-check", *_error(answer))
            else:
                self.say("self-check", *_findings(answer))

        self.ask_to_change(self._checked, answered)

    def _checked(self) -> tuple[Finding, ...]:
        return (*self.engine.self_check(), *theming.findings_of(self.engine))

    # -- secrets and log -----------------------------------------------------------------------------------------------

    def _rotate(self) -> None:
        self.ask_yes(
            "Create a new master key?",
            "Every secret is sealed under it. Earlier backups need the current key.",
            "New key",
            lambda: self.run(
                "rotate",
                "Sealing every secret again",
                self.engine.rotate_vault,
                lambda count: f"{text.plural(cast('int', count), 'secret')} sealed under a new master key.",
            ),
        )

    def _move(self) -> None:
        from tui.screens.vault_move import VaultMoveScreen

        self.app.push_screen(VaultMoveScreen())

    def _new_vault(self) -> None:
        def read(answer: object) -> None:
            if isinstance(answer, CertdeckError):
                self.say("new-vault", *_error(answer))
                return
            lost = cast("tuple[object, ...]", answer)
            self.ask_yes(
                "Create a new vault?",
                f"{text.plural(len(lost), 'secret')} cannot be opened and would be set aside. Accounts, DNS secrets and "
                "notification secrets have to be entered again.",
                "New vault",
                lambda: self.run("new-vault", "Creating a new vault", self.engine.new_vault, _vault_made),
                danger=True,
            )

        self.ask(self.engine.lost_secrets, read)

    def _new_log(self) -> None:
        self.ask_yes(
            "Start a new log?",
            "The current log is set aside, and a new one starts. Do this only if it cannot be verified.",
            "New log",
            lambda: self.run("new-log", "Starting a new log", self.engine.new_log_chain, _log_made),
            danger=True,
        )


def _backed_up(answer: object) -> str:
    done = cast("BackupDone", answer)
    skipped = f" Skipped: {', '.join(done.skipped)}." if done.skipped else ""
    return f"{done.path} contains {text.plural(done.certificates, 'certificate')} in {text.plural(done.files, 'file')}.{skipped}"


def _vault_made(answer: object) -> str:
    done = cast("NewVault", answer)
    return (
        f"A new vault was created. Secrets that cannot be opened are in {done.set_aside}."
        if done.set_aside
        else "A new vault was created."
    )


def _log_made(answer: object) -> str:
    done = cast("NewLog", answer)
    return f"A new log was started. The old one is {done.set_aside}." if done.set_aside else "A new log was started."


def _error(error: CertdeckError) -> tuple[tuple[str, str, str], ...]:
    return (("✖", "severity-red", error.what), ("", "text-muted", error.why), ("", "text-muted", error.fix))


def _findings(found: Sequence[Finding]) -> Iterator[tuple[str, str, str]]:
    for each in found:
        mark = text.MARKS.get(each.status, text.MARKS["unknown"])
        yield mark.glyph, mark.colour, f"{each.title}: {each.detail} {each.fix}".rstrip()


def _texts(page: TasksPage) -> Iterator[tuple[str, str]]:
    """Yield the parts that the console adds to the report: the state and the checks, or why they are missing."""

    def said(call: Callable[[], Iterator[str]]) -> str:
        try:
            return "\n".join(call()) + "\n"
        except CertdeckError as exc:
            return f"{exc.code}: {exc}\n"

    def status() -> Iterator[str]:
        for row in page.engine.status().lineages:
            yield f"{text.printable(row.name)}: {text.days_left(row, page.deck.now())}, {text.renewal_shown(row, page.deck.now())}"

    def doctor() -> Iterator[str]:
        for each in page.engine.doctor():
            yield f"{each.status} {each.title}: {each.detail} {each.fix}"

    yield "status.txt", said(status)
    yield "doctor.txt", said(doctor)
