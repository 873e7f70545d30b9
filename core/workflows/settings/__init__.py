"""Changes to the configuration: issuers, accounts, DNS providers, targets, notifications, the schedule, one certificate."""
