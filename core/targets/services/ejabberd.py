"""ejabberd: a reload with a mismatched pair reports success, and a restart with one stops the node."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import Action, KeyReader, Kind, Probing

KIND = Kind(
    name="ejabberd",
    title="ejabberd",
    group="messaging",
    measured="ejabberd 23.01-1",
    package="ejabberd",
    unit="ejabberd.service",
    key=KeyReader(at_start="ejabberd", at_reload="ejabberd", group="ejabberd"),
    action=Action(
        command=("ejabberdctl", "reload_config"),
        idle_signs=("failed rpc connection to the node",),
        bad_pair="The reload reports success, and STARTTLS fails.",
    ),
    probe=Probing(usual=("xmpp://127.0.0.1:5222",)),
    detect=Detection(
        programs=("beam.smp",),
        word="ejabberd",
        configuration=("/etc/ejabberd/ejabberd.yml",),
        variable="EJABBERD_CONFIG_PATH",
        reader="ejabberd",
        dialects=("xmpp", ""),
    ),
    remarks=(
        "It ignores files that are not newer by a whole second, so certdeck updates their times, also for a rollback.",
    ),
    proven=True,
)
