"""core.paths: where things are, for whom."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from core.paths import paths_for


def test_one_folder_holds_everything() -> None:
    """CERTDECK_HOME puts all four folders below one, whoever asks."""
    for uid in (0, 1000):
        paths = paths_for({"CERTDECK_HOME": "/srv/deck"}, uid)
        assert [paths.etc, paths.state, paths.run, paths.log] == [
            Path("/srv/deck") / n for n in ("etc", "state", "run", "log")
        ]


def test_root_has_the_systems_folders() -> None:
    """Without it root uses the system's folders."""
    paths = paths_for({}, 0)
    assert [str(paths.etc), str(paths.state)] == ["/etc/certdeck", "/var/lib/certdeck"]
    assert [str(paths.run), str(paths.log)] == ["/run/certdeck", "/var/log/certdeck"]


@pytest.mark.parametrize("runtime", ["/run/user/4242", None])
def test_a_users_lock_is_the_same_with_and_without_a_login(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, runtime: str | None
) -> None:
    """A timer without XDG_RUNTIME_DIR locked a file in /tmp, so two writers ran at once, and a Python warning was printed."""
    monkeypatch.setenv("HOME", str(tmp_path))
    if runtime is None:
        monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    else:
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        paths = paths_for({}, 4242)
    assert paths.lock.is_relative_to(paths.state)
