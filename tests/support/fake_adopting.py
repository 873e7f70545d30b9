"""The part of the engine's double that finds what other clients manage here.

engine.adoption = Adoption(found=(…), timers=(…))   # what adoptable lists and adopt takes over
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from core.adoption import Adoptable, Adopted, Adoption, AdoptRequest, NotAdopted, OtherTimer, TheirHook
from core.engine import ignore
from core.events import Reporter
from core.ports import CancelToken
from tests.support.lineages import NOW

_LIVE = Path("/etc/letsencrypt/live")
FOUND = (
    Adoptable(
        name="shop.example.com",
        client="certbot",
        client_name="shop.example.com",
        path=_LIVE / "shop.example.com/fullchain.pem",
        names=("shop.example.com", "www.shop.example.com"),
        not_before=NOW - timedelta(days=30),
        not_after=NOW + timedelta(days=60),
        key_type="ec-256",
        issuer="letsencrypt",
        directory="https://acme-v02.api.letsencrypt.org/directory",
        account_url="https://acme-v02.api.letsencrypt.org/acme/acct/7",
        challenge="http-01",
        webroots=("/var/www/html",),
        hooks=(
            TheirHook(kind="deploy", text="systemctl reload nginx", reload="systemctl reload nginx"),
            TheirHook(kind="post", text="/root/mail-me.sh"),
        ),
    ),
    Adoptable(
        name="old.example.com",
        client="acme.sh",
        client_name="old.example.com",
        path=Path("/root/.acme.sh/old.example.com_ecc/fullchain.cer"),
        names=("old.example.com",),
        not_before=NOW - timedelta(days=95),
        not_after=NOW - timedelta(days=5),
        key_type="ec-256",
        issuer="letsencrypt",
        challenge="dns-01",
        dns_name="dns_test",
        expired=True,
    ),
    Adoptable(
        name="broken.example.com",
        client="certbot",
        client_name="broken.example.com",
        path=_LIVE / "broken.example.com/fullchain.pem",
        state="unusable",
        problem="Its private key does not match this certificate.",
        fix="Renew it with that client, or order a new one here: certdeck issue",
    ),
)
TIMER = OtherTimer(
    client="certbot",
    file=Path("/lib/systemd/system/certbot.timer"),
    line="certbot.timer",
    off="systemctl disable --now certbot.timer",
)


class FakeAdopting:
    """Mix-in; its host has `_called`."""

    adoption: Adoption = Adoption(found=FOUND, timers=(TIMER,))

    def adoptable(self, *, client: str | None = None, folder: Path | None = None) -> Adoption:
        self._adopting("adoptable", client=client, folder=folder)
        return self.adoption

    def adopt(
        self,
        request: AdoptRequest,
        *,
        report: Reporter = ignore,
        cancel: CancelToken | None = None,
    ) -> Adoption:
        names, dry_run = tuple(request.names), request.dry_run
        self._adopting("adopt", names=names, every=request.every, dry_run=dry_run)
        chosen = [each for each in self.adoption.found if request.every or each.name in names]
        done = tuple(
            Adopted(
                name=each.name,
                client=each.client,
                version=None if dry_run else 1,
                steps=(f"Certificate, chain and key are stored as a version of {each.name}.",),
                left=tuple(
                    f"Its {hook.kind} hook was not taken over: {hook.text}" for hook in each.hooks if not hook.reload
                ),
            )
            for each in chosen
            if each.state == "new"
        )
        failed = tuple(
            NotAdopted(
                name=each.name,
                code="input-rejected",
                what=f"{each.name} cannot be taken over.",
                why=each.problem,
                fix=each.fix,
            )
            for each in chosen
            if each.state == "unusable"
        )
        taken = {each.name for each in done}
        both = tuple(each.name for each in self.adoption.found if each.name in taken and each.client == "certbot")
        timers = tuple(replace(each, names=both) for each in self.adoption.timers)
        if not dry_run:
            found = tuple(
                replace(each, state="adopted") if each.name in taken else each for each in self.adoption.found
            )
            self.adoption = replace(self.adoption, found=found, timers=timers)
        return Adoption(found=self.adoption.found, adopted=done, failed=failed, timers=timers, dry_run=dry_run)

    def _adopting(self, operation: str, **given: Any) -> None:
        called: Any = self
        called._called(operation, **given)
