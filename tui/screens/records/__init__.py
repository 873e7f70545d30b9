"""Manual DNS records: shown in full, checked at the name servers, validated once they are visible (ST-14 to ST-17)."""

from tui.screens.records.screen import RecordsScreen

__all__ = ["RecordsScreen"]
