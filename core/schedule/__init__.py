"""What makes the scheduled run happen: when, in systemd's and cron's words, and whether it lives. Pure but for one record."""
