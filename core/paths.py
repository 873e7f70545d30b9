"""The folders of certdeck (README, "Where things are"). Pure: creates nothing and reads only its arguments."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from msgspec import Struct


class Paths(Struct, frozen=True, dict=True):
    """The four folders, and every path in them that more than one module uses."""

    etc: Path
    state: Path
    run: Path
    log: Path

    @cached_property
    def config(self) -> Path:
        return self.etc / "certdeck.toml"

    @cached_property
    def certificates(self) -> Path:
        """One `NAME.toml` for each lineage."""
        return self.etc / "certificates.d"

    @cached_property
    def master_key(self) -> Path:
        return self.etc / "master.key"

    @cached_property
    def master_parameters(self) -> Path:
        """Salt and cost, if the master key is derived from a passphrase."""
        return self.etc / "master.scrypt"

    @cached_property
    def live(self) -> Path:
        """`live/NAME` is a symlink to `../lineages/NAME/VERSION`."""
        return self.state / "live"

    @cached_property
    def lineages(self) -> Path:
        """`lineages/NAME/VERSION/` is one version; `lineages/NAME/renewal.json` is the state of its renewals."""
        return self.state / "lineages"

    @cached_property
    def orders(self) -> Path:
        return self.state / "orders"

    @cached_property
    def requests(self) -> Path:
        """`requests/NAME/` has a CSR for a CA elsewhere that has not been answered yet, and its key."""
        return self.state / "requests"

    @cached_property
    def dns_records(self) -> Path:
        """One file for each set of TXT records that certdeck has created at a provider and not removed yet."""
        return self.state / "dns"

    @cached_property
    def accounts(self) -> Path:
        return self.state / "accounts"

    @cached_property
    def vault(self) -> Path:
        return self.state / "vault"

    @cached_property
    def transactions(self) -> Path:
        """Operations in progress: one file for each deployment that has not ended."""
        return self.state / "transactions"

    @cached_property
    def deleted(self) -> Path:
        """Sealed copies of deleted lineages, kept for 30 days."""
        return self.state / "deleted"

    @cached_property
    def set_aside(self) -> Path:
        """What was found in the place of certdeck's own files, or can no longer be decrypted."""
        return self.state / "set-aside"

    @cached_property
    def index(self) -> Path:
        """Derived facts about every lineage; may be removed at any time."""
        return self.state / "index.json"

    @cached_property
    def healthy(self) -> Path:
        """Which certificates have no problem, and until when; may be removed at any time."""
        return self.state / "healthy.json"

    @cached_property
    def windows(self) -> Path:
        """When CAs suggest renewals (ARI); a lost response is requested again."""
        return self.state / "renewal-windows.json"

    @cached_property
    def revocation(self) -> Path:
        """What CAs report about the revocation of certificates; a lost response is requested again."""
        return self.state / "revocation.json"

    @cached_property
    def fleet_revocation(self) -> Path:
        """The same on a hub, for the certificates of its fleet."""
        return self.state / "fleet-revocation.json"

    @cached_property
    def idle(self) -> Path:
        """The result of a scheduled run with nothing to do, and what it depends on; may be removed at any time."""
        return self.state / "idle"

    @cached_property
    def last_run(self) -> Path:
        return self.state / "last-run.json"

    @cached_property
    def checked_release(self) -> Path:
        """The release that has passed its check here; without it, the next scheduled run checks again."""
        return self.state / "checked-release.json"

    @cached_property
    def clock(self) -> Path:
        """The last time of this box's clock, and its difference from a CA's clock."""
        return self.state / "clock.json"

    @cached_property
    def limits(self) -> Path:
        """Which CAs accept no requests, and until when."""
        return self.state / "limits.json"

    @cached_property
    def ledger(self) -> Path:
        """The usage of CAs' limits."""
        return self.state / "ledger.json"

    @cached_property
    def last_look(self) -> Path:
        """The findings of the daily check of the store."""
        return self.state / "last-look.json"

    @cached_property
    def detected(self) -> Path:
        """What the services of this box presented at the last detection."""
        return self.state / "detected.json"

    @cached_property
    def notified(self) -> Path:
        """What was reported on each notification channel."""
        return self.state / "notified.json"

    @cached_property
    def schedule(self) -> Path:
        """The settings of `schedule on` and `schedule off`."""
        return self.state / "schedule.json"

    @cached_property
    def history(self) -> Path:
        return self.state / "history.sqlite"

    @cached_property
    def backup_record(self) -> Path:
        """When the master key was last backed up."""
        return self.state / "backup.json"

    @cached_property
    def restoring(self) -> Path:
        """A restore that has started and not ended."""
        return self.state / "restoring.json"

    @cached_property
    def web(self) -> Path:
        """One file for each target whose web server has settings of certdeck."""
        return self.state / "web"

    @cached_property
    def web_change(self) -> Path:
        """The previous state of a web server's configuration, until a change to it has ended."""
        return self.state / "web-change.json"

    @cached_property
    def fleet(self) -> Path:
        """The membership of this box in its fleet."""
        return self.state / "fleet.json"

    @cached_property
    def lock(self) -> Path:
        return self.run / "lock"

    @cached_property
    def exchanges(self) -> Path:
        """Each exchange with a CA or a DNS provider as a file, if that is enabled."""
        return self.log / "requests"

    @cached_property
    def debug_log(self) -> Path:
        return self.log / "certdeck.log"


def paths_for(variables: Mapping[str, str], uid: int) -> Paths:
    """Return the folders for this user: `CERTDECK_HOME`, otherwise the system's for root, otherwise the user's own."""
    home = variables.get("CERTDECK_HOME")
    if home:
        root = Path(home).absolute()
        return Paths(root / "etc", root / "state", root / "run", root / "log")
    if uid == 0:
        return Paths(Path("/etc/certdeck"), Path("/var/lib/certdeck"), Path("/run/certdeck"), Path("/var/log/certdeck"))
    import platformdirs

    user = platformdirs.PlatformDirs("certdeck", appauthor=False)
    state = Path(user.user_data_dir)
    # The lock is stored with what it protects: the runtime folder of a login differs from the one of the same user's timer.
    return Paths(Path(user.user_config_dir), state, state / "run", Path(user.user_log_dir))
