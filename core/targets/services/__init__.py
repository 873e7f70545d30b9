"""The kinds of targets: one file with a row (`KIND`) for each service. The table is in `core.targets.kinds`."""
