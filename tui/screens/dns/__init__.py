"""DNS providers: the list, adding and changing an entry, and the connection test (ST-23 to ST-25)."""

from tui.screens.dns.screen import DnsScreen

__all__ = ["DnsScreen"]
