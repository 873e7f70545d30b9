"""Switches the service that runs `certdeck fleet watch` on and off."""

from __future__ import annotations

from core.events import Changed
from core.schedule.install import install_fleet_service, uninstall_fleet_service
from core.workflows.context import Context
from core.workflows.fleet.connection import require_fleet
from core.workflows.settings.schedule import program_of


def switch(context: Context, *, on: bool) -> bool:
    """Install and start the service, or stop and remove it. Returns whether it is on. Raises StoreError, CertdeckError."""
    env, state = context.env, context.paths.state
    if on:
        require_fleet(context)
        install_fleet_service(env, state, program_of(context), context.cancel)
    elif not uninstall_fleet_service(env, state, context.cancel):
        return False
    context.narrator.tell(Changed(what=f"fleet service: {'on' if on else 'off'}"))
    return on
