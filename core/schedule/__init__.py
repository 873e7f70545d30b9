"""The scheduled run: its times, its systemd units and cron lines, and whether it works. Pure except for one record."""
