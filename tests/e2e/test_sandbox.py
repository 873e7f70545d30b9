"""What the sandbox of the packaged units must leave possible, tried with the same means that systemd uses."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.programs import ROOT, wait_until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        os.getuid() != 0 or not all(map(shutil.which, ("unshare", "setpriv", "pkill", "mount"))),
        reason="another account and a mount namespace take root",
    ),
]
UNIT = ROOT / "packaging" / "deb" / "certdeck-renew.service"
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


def value_of(key: str) -> str:
    """Return what the unit says of a directive."""
    [found] = [line.partition("=")[2] for line in UNIT.read_text().splitlines() if line.startswith(f"{key}=")]
    return found


def test_a_reload_command_reaches_a_service_of_another_account(tmp_path: Path) -> None:
    """With the unit's view of /proc and without CAP_SYS_PTRACE, `pkill -HUP` finds a service that runs as another account."""
    assert "CAP_SYS_PTRACE" not in value_of("CapabilityBoundingSet")
    program = tmp_path / f"served-{os.getpid()}"
    program.symlink_to(shutil.which("sleep") or "/bin/sleep")
    tmp_path.chmod(0o755)
    service = subprocess.Popen([*NOBODY, str(program), "600"])
    inside = f"mount -t proc -o hidepid={value_of('ProtectProc')} proc /proc && exec"
    confined = ("unshare", "--mount", "--propagation", "private", "sh", "-c")
    without = "setpriv --bounding-set=-sys_ptrace --inh-caps=-sys_ptrace"
    try:
        wait_until(lambda: program.name in _command_line(service.pid), "the service runs")
        # A command that runs as a service's account does not see the others: what the directive is for.
        seen = subprocess.run(
            [*confined, f"{inside} setpriv --reuid=1 --regid=1 --clear-groups pgrep -f '{program.name} 600'"],
            check=False,
        )
        assert seen.returncode == 1
        subprocess.run([*confined, f"{inside} {without} pkill -HUP -f '{program.name} 600'"], check=False)
        assert service.wait(30) == -signal.SIGHUP
    finally:
        service.kill()
        service.wait()


def _command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
