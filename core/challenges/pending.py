"""What an order waits for when a person has to set its records. Stands apart: every order may end so, few load the DNS for it."""

from __future__ import annotations

from core.operations import Record, RecordView


class PendingRecords(Exception):
    """An outcome rather than an error: somebody has to set these records. Never leaves the workflows."""

    def __init__(self, records: tuple[Record, ...], views: tuple[RecordView, ...] = ()) -> None:
        super().__init__("DNS records must be created")
        self.records = records
        self.views = views
