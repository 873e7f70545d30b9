"""Wording about moving the master key, for both front ends."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.text import listed
from tui.glyphs import printable
from tui.wording.text import plural

if TYPE_CHECKING:
    from core.vault_moves import VaultMoved

AFTER_CREDENTIAL: Final = (
    "The systemd-run line removes the key in etc when the credential opens everything. After that, each certdeck command",
    "needs the credential, in a shell too: start it with the same systemd-run.",
    "To move back: certdeck vault move --to file",
)


def credential_commands(key_file: Path) -> list[str]:
    """Return the commands with which an administrator creates a systemd credential from the key and loads it, in order."""
    name = "certdeck-master-key"
    sealed = f"/etc/credstore.encrypted/{name}"
    load = f"LoadCredentialEncrypted={name}:{sealed}"
    drop_in = "/etc/systemd/system/certdeck-renew.service.d"  # `systemctl edit --stdin` needs systemd 256
    file = shlex.quote(str(key_file))
    return [
        "mkdir -p -m 700 /etc/credstore.encrypted",
        f"systemd-creds encrypt --name={name} {file} {sealed}",
        f"mkdir -p {drop_in}",
        f"printf '[Service]\\n{load}\\n' > {drop_in}/master-key.conf",
        "systemctl daemon-reload",
        f"systemd-run --wait --pipe -p {load} certdeck vault move --to credential",
        f"shred -u {file}",
    ]


def written_out(key_file: Path) -> str:
    """Return the result of a move that only wrote the key to a file."""
    return f"Wrote the master key to {printable(str(key_file))}, readable only by you. Nothing else was changed."


def moved_lines(done: VaultMoved) -> Iterator[str]:
    """Yield the result of a move, and what is left to do."""
    yield f"The master key is now the {done.to}. {plural(done.resealed, 'secret')} sealed again."
    if done.removed:
        yield f"Removed {listed([printable(str(path)) for path in done.removed], 4)}."
    if done.from_ == "credential" and done.to == "file":
        yield "The file holds the key of the credential. Remove LoadCredentialEncrypted= from the unit;"
        yield "then, to change the key, run `certdeck vault rotate`."
    if done.to == "passphrase":
        yield "Each certdeck command now needs CERTDECK_PASSPHRASE_FILE. Set it in the unit too."
