"""The first screen's actions on the certificate under the cursor, or on the open order shown in its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec.structs import replace

from core.operations import LineageStatus, OpenOrder
from tui.actions import Action
from tui.screens import operations
from tui.screens.page import Page

_NEEDS_A_LINEAGE: Final = frozenset(
    {"renew", "deploy", "show-pem", "roll-back", "export", "auto-renew", "change", "revoke"}
)
"""Actions that do not apply to an order alone: it has no certificate yet."""


_NOT_YET: Final[Mapping[str, Any]] = {
    "applies": lambda situation: False,
    "steady": False,
    "otherwise": "It has no certificate yet: its order is still open.",
}


_WAITS: Final[Mapping[str, Mapping[str, Any]]] = {
    "zoom": {
        "label": "Records",
        "title": "Show the DNS records that it waits for",
        "footer": 1,
        "help": "Opens the records to be set, and says which name server has them already. Esc comes back here.",
    },
    "complete": {"footer": 0},
}


class CertificateActions(Page[None]):
    """A page with a certificate under the cursor."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: Mapping[str, OpenOrder] = {}
        """Open orders that wait for manual DNS records, by lineage name."""

    @property
    def chosen(self) -> LineageStatus | None:
        """The certificate under the cursor, or an order that has no certificate yet."""
        raise NotImplementedError

    def _exists(self, row: LineageStatus) -> bool:
        """Return whether the lineage exists, as opposed to only an order for it."""
        status = self.deck.status
        return status is not None and any(each.name == row.name for each in status.lineages)

    def _is_order(self, row: LineageStatus) -> bool:
        """Return whether the row is only an order."""
        return row.open_order and not row.sha256 and not self._exists(row)

    def actions(self) -> tuple[Action, ...]:
        """Return the actions: Enter is labelled for a waiting order, and what does not apply to an order is left out."""
        chosen = self.chosen if self.is_mounted else None
        waits = chosen is not None and chosen.name in self.waiting
        is_order = chosen is not None and self._is_order(chosen)
        if not (waits or is_order):
            return super().actions()
        changed: dict[str, Mapping[str, Any]] = {
            **(_WAITS if waits else {}),
            **({"delete": {"label": "Give up", "title": "Give up this order"}} if is_order else {}),
            **(dict.fromkeys(_NEEDS_A_LINEAGE, _NOT_YET) if is_order else {}),
        }
        return tuple(
            replace(each, **changed.get(each.id, {})) if each.scope == self.SCOPE else each
            for each in super().actions()
        )

    def action_issue(self) -> None:
        operations.issue(self.deck)

    def _with_chosen(self, do: Callable[..., None]) -> None:
        chosen = self.chosen
        if chosen is not None:
            do(self.deck, chosen)

    def action_renew(self) -> None:
        self._with_chosen(operations.renew)

    def action_deploy(self) -> None:
        self._with_chosen(operations.deploy)

    def action_roll_back(self) -> None:
        self._with_chosen(operations.roll_back)

    def action_complete(self) -> None:
        chosen = self.chosen
        waits = chosen is not None and chosen.name in self.waiting
        self._with_chosen(operations.records if waits else operations.complete)

    def action_export(self) -> None:
        self._with_chosen(operations.export)

    def action_auto_renew(self) -> None:
        self._with_chosen(operations.auto_renew)

    def action_delete(self) -> None:
        chosen = self.chosen
        if chosen is not None and not self._exists(chosen):
            operations.give_up(self.deck, chosen.name)
        else:
            self._with_chosen(operations.delete)

    def action_give_up(self) -> None:
        self._with_chosen(lambda deck, chosen: operations.give_up(deck, chosen.name))

    def action_change(self) -> None:
        from tui.screens.lineage_settings import LineageSettingsScreen

        self._with_chosen(lambda deck, chosen: deck.push_screen(LineageSettingsScreen(chosen.name)))

    def action_revoke(self) -> None:
        self._with_chosen(operations.revoke)

    def action_show_pem(self) -> None:
        self._with_chosen(operations.show_pem)
