"""The kinds of targets: one file for each service, which holds its row (`KIND`). `core.targets.kinds` is the catalogue."""
