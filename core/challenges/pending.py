"""The outcome of an order whose records a person has to set. A separate module, so that most runs need not load the DNS code."""

from __future__ import annotations

from core.operations import Record, RecordView


class PendingRecords(Exception):
    """An outcome rather than an error: the user has to set these records. Never leaves the workflows."""

    def __init__(self, records: tuple[Record, ...], views: tuple[RecordView, ...] = ()) -> None:
        super().__init__("DNS records must be created")
        self.records = records
        self.views = views
