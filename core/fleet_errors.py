"""Errors of a fleet, subclasses of `CertdeckError`. A box without a fleet never loads them."""

from __future__ import annotations

from core.errors import CertdeckError


class FleetError(CertdeckError):
    """The fleet could not be reached, or refused the request."""

    code = "fleet-error"


class FleetUnreachable(FleetError):
    """No etcd member responded in time, or most of them are down."""

    code = "fleet-unreachable"


class FleetUntrusted(FleetError):
    """The server certificate of etcd does not verify."""

    code = "fleet-untrusted"


class FleetDenied(FleetError):
    """etcd refused the login, or the access."""

    code = "fleet-denied"


class FleetFull(FleetError):
    """The database of etcd is full (NOSPACE)."""

    code = "fleet-full"


class NotLeading(FleetError):
    """Another hub leads the fleet, or may lead it by now."""

    code = "not-leading"


class FleetConflict(FleetError):
    """An entry was changed by another box since it was read."""

    code = "fleet-conflict"


class FleetForged(FleetError):
    """An entry in etcd was not written by a hub of this fleet, or was altered."""

    code = "fleet-forged"


class FleetTooNew(FleetError):
    """An entry in etcd was written by a later release, in an unknown format."""

    code = "fleet-too-new"
