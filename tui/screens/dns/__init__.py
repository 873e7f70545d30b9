"""DNS providers: which there are, adding and changing one, and trying it (ST-23 to ST-25)."""

from tui.screens.dns.screen import DnsScreen

__all__ = ["DnsScreen"]
