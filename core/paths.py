"""Which folder holds what (README, "Where things are"). Pure: makes nothing, reads nothing but its arguments."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct


class Paths(Struct, frozen=True):
    """The four folders, and every place in them that more than one module names."""

    etc: Path
    state: Path
    run: Path
    log: Path

    @property
    def config(self) -> Path:
        return self.etc / "certdeck.toml"

    @property
    def certificates(self) -> Path:
        """One `NAME.toml` for each lineage."""
        return self.etc / "certificates.d"

    @property
    def master_key(self) -> Path:
        return self.etc / "master.key"

    @property
    def master_parameters(self) -> Path:
        """Salt and cost, where the master key comes from a passphrase."""
        return self.etc / "master.scrypt"

    @property
    def live(self) -> Path:
        """`live/NAME` is a symlink to `../lineages/NAME/VERSION`."""
        return self.state / "live"

    @property
    def lineages(self) -> Path:
        """`lineages/NAME/VERSION/` holds one version; `lineages/NAME/renewal.json` what the timer remembers."""
        return self.state / "lineages"

    @property
    def orders(self) -> Path:
        return self.state / "orders"

    @property
    def requests(self) -> Path:
        """`requests/NAME/` holds a signing request that a CA elsewhere has not answered yet, and its key."""
        return self.state / "requests"

    @property
    def dns_records(self) -> Path:
        """One file for each set of TXT records that certdeck has made at a provider and not removed yet."""
        return self.state / "dns"

    @property
    def accounts(self) -> Path:
        return self.state / "accounts"

    @property
    def vault(self) -> Path:
        return self.state / "vault"

    @property
    def transactions(self) -> Path:
        """What is in flight: one file for each deployment that has not ended."""
        return self.state / "transactions"

    @property
    def deleted(self) -> Path:
        """Sealed copies of deleted lineages, kept for 30 days."""
        return self.state / "deleted"

    @property
    def set_aside(self) -> Path:
        """What was found in the place of something of ours, or cannot be opened any more."""
        return self.state / "set-aside"

    @property
    def index(self) -> Path:
        """Derived facts about every lineage; may be removed at any time."""
        return self.state / "index.json"

    @property
    def windows(self) -> Path:
        """When CAs want renewals; an answer that is lost is asked for again."""
        return self.state / "renewal-windows.json"

    @property
    def revocation(self) -> Path:
        """What CAs have said about the revocation of certificates; an answer that is lost is asked for again."""
        return self.state / "revocation.json"

    @property
    def fleet_revocation(self) -> Path:
        """The same of a hub, about the certificates of its fleet."""
        return self.state / "fleet-revocation.json"

    @property
    def idle(self) -> Path:
        """The answer of a scheduled run with nothing to do, and what it depends on; may be removed at any time."""
        return self.state / "idle"

    @property
    def last_run(self) -> Path:
        return self.state / "last-run.json"

    @property
    def checked_release(self) -> Path:
        """Which release has passed its check here; without it the next scheduled run checks again."""
        return self.state / "checked-release.json"

    @property
    def clock(self) -> Path:
        """What the clock of this box showed last, and how far it was from a CA's."""
        return self.state / "clock.json"

    @property
    def limits(self) -> Path:
        """Which CAs take no requests before when."""
        return self.state / "limits.json"

    @property
    def ledger(self) -> Path:
        """What was used of the limits of CAs."""
        return self.state / "ledger.json"

    @property
    def last_look(self) -> Path:
        """What the daily look at the store has found."""
        return self.state / "last-look.json"

    @property
    def detected(self) -> Path:
        """What the services of this box presented when they were looked for last."""
        return self.state / "detected.json"

    @property
    def notified(self) -> Path:
        """Who was told of what."""
        return self.state / "notified.json"

    @property
    def schedule(self) -> Path:
        """What `schedule on` and `schedule off` set."""
        return self.state / "schedule.json"

    @property
    def history(self) -> Path:
        return self.state / "history.sqlite"

    @property
    def backup_record(self) -> Path:
        """When the master key was backed up last."""
        return self.state / "backup.json"

    @property
    def restoring(self) -> Path:
        """A restore that was decided and has not ended."""
        return self.state / "restoring.json"

    @property
    def web(self) -> Path:
        """One file for each target whose web server has settings of ours."""
        return self.state / "web"

    @property
    def web_change(self) -> Path:
        """What a change to a web server's configuration had found, until it has ended."""
        return self.state / "web-change.json"

    @property
    def fleet(self) -> Path:
        """What this box is in its fleet."""
        return self.state / "fleet.json"

    @property
    def lock(self) -> Path:
        return self.run / "lock"

    @property
    def exchanges(self) -> Path:
        """Each exchange with a CA or a DNS provider as a file, where that is switched on."""
        return self.log / "requests"

    @property
    def debug_log(self) -> Path:
        return self.log / "certdeck.log"


def paths_for(variables: Mapping[str, str], uid: int) -> Paths:
    """Return the folders for this user: `CERTDECK_HOME`, else the system's for root, else the user's own."""
    home = variables.get("CERTDECK_HOME")
    if home:
        root = Path(home).absolute()
        return Paths(root / "etc", root / "state", root / "run", root / "log")
    if uid == 0:
        return Paths(Path("/etc/certdeck"), Path("/var/lib/certdeck"), Path("/run/certdeck"), Path("/var/log/certdeck"))
    import platformdirs

    user = platformdirs.PlatformDirs("certdeck", appauthor=False)
    state = Path(user.user_data_dir)
    # The lock lies with what it guards: the runtime folder of a login is another one for the same user's timer.
    return Paths(Path(user.user_config_dir), state, state / "run", Path(user.user_log_dir))
