"""DNS records that a person sets: shown whole, looked for at the name servers, answered once they are there (ST-14 to ST-17)."""

from tui.screens.records.screen import RecordsScreen

__all__ = ["RecordsScreen"]
