"""Moves the master key between a file, a passphrase and a systemd credential."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from core.errors import CertdeckError
from core.vault_moves import VaultMoved
from tui.actions import bindings, of_scope
from tui.screens.tasks import Task, TasksPage
from tui.wording.vault import AFTER_CREDENTIAL, credential_commands, moved_lines, written_out


class VaultMoveScreen(TasksPage):
    """One row for each location; Enter moves the key there."""

    SCOPE = "vault-move"
    BINDINGS: ClassVar = bindings(of_scope("vault-move", "page"))
    HELP_TEXT = (
        "The master key opens every secret of this box: account keys, DNS secrets, earlier private keys. It is a file, or comes "
        "from a passphrase, or from a systemd credential that only this machine can open.\n\nEvery secret is sealed again in the "
        "move. A move that was interrupted is finished by the same choice. Backups made before need the old key."
    )
    LIST_TITLE = "Move the master key to"
    page_title = "Master key"

    def tasks(self) -> Sequence[Task]:
        return (
            Task(
                id="file",
                title="A file",
                state="etc/master.key",
                words=(
                    "Readable by certdeck's account alone. Whoever copies the disk has it. Nothing else is needed.",
                ),
            ),
            Task(
                id="passphrase",
                title="A passphrase",
                state="CERTDECK_PASSPHRASE_FILE",
                words=(
                    "The key is derived from the passphrase in the file that CERTDECK_PASSPHRASE_FILE names.",
                    "Set that variable for this console and for the unit of the timer before you move the key.",
                ),
            ),
            Task(
                id="write-out",
                title="A systemd credential: prepare",
                state="step 1 of 2",
                words=(
                    "Enter asks for a new file and writes the key there. The key stays where it is.",
                    "Then it shows the commands that seal the file for this machine and load it into the unit.",
                ),
            ),
            Task(
                id="credential",
                title="A systemd credential: finish",
                state="step 2 of 2",
                words=(
                    "For a console that was started with the credential loaded.",
                    "Enter checks that the credential opens every secret, then removes the key from the disk.",
                ),
            ),
        )

    def do(self, task: Task) -> None:
        if task.id == "write-out":
            self.ask_path(
                "Write the key out", "A new file, for systemd-creds.", str(Path.cwd() / "certdeck-key"), self._write_out,
                must_exist=False,
            )  # fmt: skip
            return
        self.ask_yes(
            f"Move the master key to {task.title.partition(':')[0].lower()}?",
            "Every secret is sealed again. Backups made before need the key that is there now.",
            "Move",
            lambda: self._move(task.id),
        )

    def _write_out(self, path: Path) -> None:
        self._ask("write-out", "Writing the key", "credential", path)

    def _move(self, to: str) -> None:
        self._ask(to, "Moving the key", to, None)

    def _ask(self, id: str, doing: str, to: str, out: Path | None) -> None:
        self.say(id, ("◐", "bar-used", f"{doing} …"))

        def answered(answer: VaultMoved | CertdeckError) -> None:
            if isinstance(answer, CertdeckError):
                self.say(id, ("✖", "severity-red", answer.what), ("", "", answer.why), ("", "", answer.fix))
            else:
                self.say(id, *_told(answer))
            self.deck.refresh_status()

        self.ask_to_change(lambda: self.engine.move_vault(to, out=out), answered)


def _told(done: VaultMoved) -> list[tuple[str, str, str]]:
    if done.key_file is None:
        lines = list(moved_lines(done))
        return [("✔" if not number else "", "severity-green", line) for number, line in enumerate(lines)]
    return [
        ("✔", "severity-green", written_out(done.key_file)),
        ("", "text-muted", "Next, as root:"),
        *(("$", "key", command) for command in credential_commands(done.key_file)),
        ("", "text-muted", " ".join(AFTER_CREDENTIAL)),
    ]
