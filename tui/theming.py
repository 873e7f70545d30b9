"""Color themes: one TOML file each, shipped in `themes/` or added by a vendor in `etc/themes/`.

A file has the fields of a Textual theme and, in `[variables]`, Textual's variables and ours. `[colours-256]` has the values of both
for terminals with 256 colors, which approximate RGB: a dark blue would become petrol. A file is checked when it is read, because a
wrong color would otherwise fail later, with an error that does not name the file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from difflib import get_close_matches
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from textual.color import Color, ColorParseError
from textual.theme import Theme

from core.errors import ConfigError
from core.findings import Finding
from core.regular import read_regular
from core.text import plural

if TYPE_CHECKING:
    from core.engine import Engine

DEFAULT: Final = "dark"
ANSI: Final = "ansi"
ANSI_LIGHT: Final = "ansi-light"
SHIPPED: Final = (ANSI, ANSI_LIGHT, "contrast", DEFAULT, "light")
"""The themes of this package, which must all be there."""
_PLAINEST: Final = f"""
name = "{DEFAULT}"
dark = true
primary = "cyan"
success = "lime"
warning = "yellow"
error = "tomato"
foreground = "white"
background = "black"
surface = "black"
panel = "darkslategray"
"""

COLOURS: Final = (
    "primary", "secondary", "warning", "error", "success", "accent", "foreground", "background", "surface", "panel", "boost",
)  # fmt: skip

OURS: Final[Mapping[str, str]] = {
    "brand": "primary",
    "key": "primary",
    "text-muted": "foreground",
    "footer-text": "foreground",
    "faint": "foreground",
    "faint-text": "foreground",
    "placeholder": "foreground",
    "header-background": "surface",
    "cursor-row": "panel",
    "severity-green": "success",
    "severity-yellow": "warning",
    "severity-red": "error",
    "bar-used": "primary",
    "bar-rest": "foreground",
    "tick": "foreground",
    "frame": "foreground",
    "frame-title": "primary",
}
"""Our variables, each with the field that is used if a theme does not set it."""

_FEW: Final = 256
_FEWER: Final = "colours-256"
_FAINT_CHROMA, _DARKEST, _BRIGHTEST = 64, 112, 190
"""A color with a smaller range of channels, and darker or brighter than these, is a tinted gray."""
_PLAIN: Final = {"name": str, "dark": bool, "ansi": bool, "luminosity_spread": float, "text_alpha": float}


class Loaded(Struct, frozen=True):
    """The usable themes, and the problems of the others."""

    themes: Mapping[str, Theme]
    problems: tuple[ConfigError, ...] = ()


def load(
    etc: Path | None = None, *, only: str | None = None, depth: int = 1 << 24, package: Traversable | None = None
) -> Loaded:
    """Return the shipped themes and those in `etc/themes`.

    Args:
        only: read only this shipped theme, for a fast start.
        depth: number of colors of the terminal.
        package: the folder of the shipped themes; None: that of this installation.
    """
    themes: dict[str, Theme] = {}
    problems: list[ConfigError] = []
    if only in SHIPPED:
        with suppress(ConfigError):  # the full reading below reports it
            return Loaded({only: _shipped(only, depth, package)})
    for name in SHIPPED:
        try:
            themes[name] = _shipped(name, depth, package)
        except ConfigError as exc:
            problems.append(exc)
    for path in sorted((etc / "themes").glob("*.toml")) if etc is not None else ():
        try:
            theme = parse(read_regular(path).decode("utf-8"), str(path), depth)
            themes[theme.name] = theme
        except ConfigError as exc:
            problems.append(exc)
        except (OSError, UnicodeDecodeError):
            problems.append(_refused(str(path), "It cannot be read, or is not UTF-8 text."))
    themes.setdefault(DEFAULT, _built_in(depth))
    return Loaded(themes, tuple(problems))


def _shipped(name: str, depth: int, package: Traversable | None) -> Theme:
    """Return a shipped theme. Raises ConfigError (`config-invalid`) if its file is missing or damaged."""
    file = f"themes/{name}.toml"
    fix = "Reinstall certdeck."
    try:
        place = (package or resources.files("themes")) / f"{name}.toml"
        return parse(place.read_text(encoding="utf-8"), file, depth)
    except ConfigError as exc:
        raise ConfigError(exc.what, exc.why, fix, details=exc.details) from exc
    except (OSError, UnicodeDecodeError, ModuleNotFoundError) as exc:
        why = "It is missing, cannot be read, or is not UTF-8 text."
        raise ConfigError(f"The theme {file} cannot be used.", why, fix, details={"problems": [why]}) from exc


def _built_in(depth: int) -> Theme:
    """Return the theme that replaces the default one if its file is unusable: plain colors, every field filled up."""
    return parse(_PLAINEST, "built-in", depth)


def problems_of(loaded: Loaded, wanted: str | None) -> tuple[ConfigError, ...]:
    """Return the problems of the files, and that the configured theme `wanted` does not exist.

    A shipped theme that cannot be used exists: the problem of its file says all.
    """
    if wanted is None or wanted in loaded.themes or wanted in SHIPPED:
        return loaded.problems
    return (*loaded.problems, _unknown(wanted, loaded))


def findings_of(engine: Engine) -> Iterator[Finding]:
    """Yield the findings about the themes of this box. Raises ConfigError if the configuration is wrong."""
    return findings(engine.paths.etc, engine.config().appliance.theme)


def findings(etc: Path, wanted: str | None, *, package: Traversable | None = None) -> Iterator[Finding]:
    """Yield a finding for each theme file that is missing or damaged, or one that all are good.

    Args:
        wanted: the configured theme.
        package: as for `load`.
    """
    found = load(etc, package=package)
    problems = problems_of(found, wanted)
    for each in problems:
        yield Finding(id="themes", status="fail", title="Themes", detail=f"{each.what} {each.why}", fix=each.fix)
    if not problems:
        yield Finding(
            id="themes", status="pass", title="Themes", detail=f"{plural(len(found.themes), 'theme')} can be read"
        )


def native(etc: Path | None, wanted: str | None) -> str:
    """Return the sixteen-color theme that replaces `wanted`, because such a terminal does not report its background."""
    if wanted in (None, DEFAULT, ANSI):
        return ANSI
    theme = load(etc).themes.get(wanted or "")
    return ANSI_LIGHT if theme is not None and not theme.dark else ANSI


def parse(text: str, where: str, depth: int = 1 << 24) -> Theme:
    """Parse the text of a theme file, for a terminal with `depth` colors.

    Raises ConfigError (`config-invalid`) with one sentence about the first problem.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise _refused(where, f"It is not TOML: {exc}.") from exc
    variables, fewer = table.pop("variables", {}), table.pop(_FEWER, {})
    for name, part in (("variables", variables), (_FEWER, fewer)):
        if not isinstance(part, dict):
            raise _refused(where, f"`{name}` must be a table of names and colors.")
    for key in ("name", "primary"):
        if key not in table:
            raise _refused(where, f"`{key}` is missing.")
    for key, value in table.items():
        _check_field(where, key, value)
    for name, part in (("variables", variables), (_FEWER, fewer)):
        for key, value in part.items():
            if not isinstance(value, str):
                raise _refused(where, f"`{name}.{key}` must be text in quotes.")
            if not key.endswith("-style"):
                _check_colour(where, f"{name}.{key}", value)
    fields: dict[str, Any] = dict(table)
    if depth == _FEW and not fields.get("ansi"):
        fields |= {key: _greyed(value) for key, value in fields.items() if key in COLOURS}
        fields |= {key: value for key, value in fewer.items() if key in COLOURS}
        variables = {key: value if key.endswith("-style") else _greyed(value) for key, value in variables.items()}
        variables |= {key: value for key, value in fewer.items() if key not in COLOURS}
    filled = {
        ours: variables.get(ours) or fields.get(stand_in) or fields.get("foreground") or fields["primary"]
        for ours, stand_in in OURS.items()
    }
    if fields.get("ansi"):
        # Textual's style sheets use these, but define them only for its own themes.
        filled |= dict.fromkeys(("ansi-background", "ansi-foreground"), "ansi_default")
    return Theme(**fields, variables={**filled, **variables})


def _greyed(value: str) -> str:
    """Return a color for a terminal with 256 colors: a surface becomes one of its 24 grays."""
    colour = Color.parse(value.partition(" ")[0])
    low, high = min(colour.rgb), max(colour.rgb)
    if colour.a < 1 or high - low > _FAINT_CHROMA or (high >= _DARKEST and low <= _BRIGHTEST):
        return value
    grey = (low + high) // 2
    return f"#{grey:02x}{grey:02x}{grey:02x}"


def _check_field(where: str, key: str, value: object) -> None:
    if key in COLOURS:
        if not isinstance(value, str):
            raise _refused(where, f"`{key}` must be a color in quotes.")
        _check_colour(where, key, value)
    elif key in _PLAIN:
        wanted = _PLAIN[key]
        if not isinstance(value, wanted) or (wanted is str and not value):
            raise _refused(
                where,
                f"`{key}` must be {'true or false' if wanted is bool else 'text' if wanted is str else 'a number'}.",
            )
    else:
        near = get_close_matches(key, [*COLOURS, *_PLAIN, "variables"], n=1)
        hint = f" Did you mean `{near[0]}`?" if near else ""
        raise _refused(where, f"`{key}` is not a field of a theme.{hint}")


def _check_colour(where: str, key: str, value: str) -> None:
    # Textual allows an opacity after the color: `ansi_default 50%`.
    try:
        Color.parse(value.partition(" ")[0])
    except ColorParseError as exc:
        raise _refused(where, f"`{key}` is {value!r}, which is not a color.") from exc


def _unknown(name: str, loaded: Loaded) -> ConfigError:
    """Return the error for a configured theme that does not exist."""
    return ConfigError(
        f"There is no theme {name!r}.",
        f"The themes are {', '.join(sorted(loaded.themes))}.",
        "Choose one of them for `appliance.theme` in certdeck.toml, or put the file into etc/themes/.",
    )


def _refused(where: str, why: str) -> ConfigError:
    return ConfigError(
        f"The theme {where} cannot be used.",
        why,
        "Correct the file, or remove it; the shipped themes in themes/ show the fields.",
        details={"problems": [why]},
    )


def contrast(first: str, second: str) -> float:
    """Return the contrast of two colors according to WCAG 2, from 1 to 21."""
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.03928 else float(((channel + 0.055) / 1.055) ** 2.4)

    red, green, blue = Color.parse(colour).normalized
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
