"""Repeats a scheduled run with nothing to do, without checking anything twice.

A timer starts certdeck day and night, and nearly always there is nothing to do. Such a run leaves a note (`memo`): the signature of
every file that it checked (`signature`), how long its result is valid, and the result. While nothing has changed, the next run
returns the same result (`repeat`). In any doubt it does not, and the run takes the normal path.

Imported before anything else: this package uses only what the interpreter has already loaded, and modules written in C.
"""
