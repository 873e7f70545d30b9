"""The product's version, and its build date: a clock that shows an earlier date is wrong."""

from __future__ import annotations

from datetime import UTC, datetime

from core.release import VERSION as VERSION

BUILT = datetime(2026, 11, 21, tzinfo=UTC)
