"""A scheduled run with nothing to do, repeated without looking at anything twice.

A timer starts certdeck day and night, and nearly always there is nothing to do. Such a run leaves a note (`memo`): the signature of
every file it looked at (`signature`), until when its answer holds, and the answer. While nothing has changed, the next run gives
the same answer (`repeat`). In any doubt it does not, and the run goes its usual way.

Imported before anything else: only what the interpreter has loaded anyway, and modules of C.
"""
