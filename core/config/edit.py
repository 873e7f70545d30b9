"""Changes to the configuration files, which users also edit manually: comments, order and line endings are kept.

Every change is made in memory, checked by loading the result, and written atomically. If the result would not load, nothing is
written. Owner, group and mode of an existing file are kept, and a link stays a link. The caller holds the writers' lock.
"""

from __future__ import annotations

import os
import stat
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec.structs import asdict, fields

from core.config.document import NotEditable, edited
from core.config.load import parse_config, parse_lineage, read_settings
from core.config.model import DnsProviderConfig, IssuerConfig, LineageConfig, NotificationConfig, TargetConfig
from core.errors import ConfigError
from core.paths import Paths
from core.store.atomic import check_writable, make_dir, store_error, write_file

Key = str | tuple[str, ...]
"""`defaults.issuer`, or a tuple if a part contains a dot: `("issuers", "my.ca", "email")`."""

Check = Callable[[bytes], object]
"""Raises ConfigError for a text that would not load."""

_NEW_FILE_MODE = 0o600


def set_values(paths: Paths, changes: Mapping[Key, object]) -> None:
    """Set values in `certdeck.toml`; None removes a key or a table.

    Raises:
        ConfigError (`config-invalid`): the result would not load, or the current file does not load. Nothing is written.
        StoreError.
    """
    parsed = {tuple(key.split(".")) if isinstance(key, str) else key: value for key, value in changes.items()}
    _edit(paths.config, parsed, lambda text: parse_config(text, paths.config))


def remove_table(paths: Paths, key: Key) -> None:
    """Remove a table of `certdeck.toml` if it exists. Raises ConfigError, StoreError."""
    set_values(paths, {key: None})


def set_issuer(paths: Paths, name: str, config: IssuerConfig) -> None:
    """Write `[issuers.NAME]`: the values that differ from the defaults. Raises ConfigError, StoreError."""
    _set_entry(paths, ("issuers", name), config)


def set_target(paths: Paths, config: TargetConfig) -> None:
    """Write `[targets.NAME]`: values that differ from the defaults, and required ones. Raises ConfigError, StoreError."""
    _set_entry(
        paths, ("targets", config.name), config, always=("kind", "certificate", *(["key"] if config.key else []))
    )


def set_dns_provider(paths: Paths, config: DnsProviderConfig) -> None:
    """Write `[dns_providers.NAME]`: kind, zones, and each setting as a separate key. Raises ConfigError, StoreError."""
    _set_with_settings(paths, "dns_providers", config, ("zones", "delegations"))


def set_notification(paths: Paths, config: NotificationConfig) -> None:
    """Write `[notifications.NAME]`: kind, events, and each setting as a separate key. Raises ConfigError, StoreError."""
    _set_with_settings(paths, "notifications", config, ("on",))


def _set_with_settings(
    paths: Paths, section: str, config: DnsProviderConfig | NotificationConfig, optional: tuple[str, ...]
) -> None:
    where = (section, config.name)
    given: dict[str, object] = {"kind": config.kind, **config.settings}
    given |= {key: value for key in optional if (value := getattr(config, key))}
    entries = getattr(parse_config(read_settings(paths.config) or b"", paths.config), section)
    if config.name not in entries:
        set_values(paths, {where: given})
        return
    had = entries[config.name]
    gone = {*optional, *had.settings} - set(given)
    set_values(paths, {(*where, key): value for key, value in (*((key, None) for key in gone), *given.items())})


def write_lineage(paths: Paths, lineage: LineageConfig) -> None:
    """Write the settings of a lineage; a file with the same settings is not changed. Raises ConfigError, StoreError."""
    path, changes, check = _lineage_change(paths, lineage)
    make_dir(path.parent)
    if changes is not None:
        _edit(path, changes, check)


def check_lineage(paths: Paths, lineage: LineageConfig) -> bool:
    """Raise what `write_lineage` would raise: ConfigError for settings that would not load; StoreError. Nothing is written.

    Returns whether it would change an existing file.
    """
    path, changes, check = _lineage_change(paths, lineage)
    if changes is None or _edited(path, changes, check) is None:
        return False
    check_writable(path.parent)
    return path.exists()


def _lineage_change(paths: Paths, lineage: LineageConfig) -> tuple[Path, dict[tuple[str, ...], object] | None, Check]:
    """Return the file, the changes to make in it, and its parser. The changes are None if it already has these settings."""
    path = paths.certificates / f"{lineage.name}.toml"

    def check(text: bytes) -> LineageConfig:
        return parse_lineage(text, lineage.name, path)

    wanted = {key: value for key, value in asdict(lineage).items() if key != "name"}
    text = read_settings(path)
    had = check(text) if text is not None else LineageConfig(name=lineage.name)
    changes: dict[tuple[str, ...], object] = {}
    for key, value in wanted.items():
        if value != getattr(had, key):
            changes[(key,)] = None if value is None or (value == () and key == "targets") else value
    return path, changes if changes or text is None else None, check


def _set_entry(
    paths: Paths,
    where: tuple[str, ...],
    config: IssuerConfig | TargetConfig,
    always: tuple[str, ...] = (),
) -> None:
    changes: dict[Key, object] = {}
    given: dict[str, object] = {}
    for f in fields(config):
        value = getattr(config, f.name)
        if f.name == "name":
            continue
        is_given = value != f.default or f.name in always
        if type(config).__annotations__[f.name] == "OneOrMore" and len(value) == 1:
            value = value[0]  # the usual form, and the one already in the file
        changes[(*where, f.name)] = value if is_given else None
        if is_given:
            given[f.name] = value
    text = read_settings(paths.config) or b""
    entries = getattr(parse_config(text, paths.config), where[0])
    set_values(paths, changes if where[1] in entries else {where: given})


def _edit(path: Path, changes: Mapping[tuple[str, ...], object], check: Check) -> None:
    after = _edited(path, changes, check)
    if after is not None:
        make_dir(path.parent)
        _replace(path, after)


def _edited(path: Path, changes: Mapping[tuple[str, ...], object], check: Check) -> bytes | None:
    """Return the file's text with the changes made, checked by loading it; None if nothing changes."""
    before = read_settings(path)
    if before is not None:
        check(before)
    try:
        text = (before or b"").removeprefix(BOM_UTF8)
        mark = (before or b"").removesuffix(text)
        after = mark + edited(text.decode(), changes).encode()
    except UnicodeEncodeError as exc:
        raise _not_text(path, changes) from exc
    except NotEditable as exc:
        raise ConfigError(
            f"{path} could not be changed.",
            f"{exc} is written in a form that certdeck cannot change without losing other content.",
            "Change it in an editor, or write it as a separate table.",
            details={"problems": []},
        ) from exc
    if after == before:
        return None
    check(after)
    return after


def _not_text(path: Path, changes: Mapping[tuple[str, ...], object]) -> ConfigError:
    """Return the error for a value that is not valid UTF-8: an argument may contain any bytes, a TOML file only UTF-8."""
    where = next((".".join(key) for key, value in changes.items() if not _is_text(value)), "A value")
    return ConfigError(
        f"{path} could not be changed.",
        f"{where} is not valid UTF-8.",
        "Give it in UTF-8. Rename a file whose name uses another encoding.",
        details={"problems": []},
    )


def _is_text(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(map(_is_text, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(_is_text, value))
    try:
        str(value).encode()
    except UnicodeEncodeError:
        return False
    return True


def _replace(path: Path, text: bytes) -> None:
    try:
        place = path.resolve() if path.is_symlink() else path
        found = place.stat()
    except FileNotFoundError:
        write_file(path, text, _NEW_FILE_MODE)
        return
    except OSError as exc:
        raise store_error(exc, path) from exc
    owner, group = (found.st_uid, found.st_gid) if os.geteuid() == 0 else (-1, -1)
    write_file(place, text, stat.S_IMODE(found.st_mode) & 0o666, owner=owner, group=group)
