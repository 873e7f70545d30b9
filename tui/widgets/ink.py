"""Styles for widgets that draw themselves, named by theme variables; a widget never names a colour."""

from __future__ import annotations

from collections.abc import Mapping

from rich.style import Style
from textual.color import Color, ColorParseError
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class Ink:
    """The variables of one theme, as styles. Created again when the theme changes."""

    def __init__(self, variables: Mapping[str, str], *, ansi: bool) -> None:
        self.variables = variables
        self.ansi = ansi
        """Sixteen colours or none: a selection is shown in reverse, because there is no shade for a background."""
        self._styles: dict[tuple[str, bool, str], Style] = {}

    def __call__(self, name: str, *, bold: bool = False, on: str = "") -> Style:
        """Return the style with the variable `name` as its colour and `on`, if given, as its background."""
        key = (name, bold, on)
        style = self._styles.get(key)
        if style is None:
            style = self._styles[key] = self._made(name, bold, on)
        return style

    def chosen(self, name: str, *, bold: bool = False) -> Style:
        """Return the style of text in the row under the cursor."""
        if self.ansi:
            # In one colour: five colours in reverse would be too bright.
            return Style(reverse=True, bold=bold or None)
        return self(name, bold=bold, on="cursor-row")

    def _made(self, name: str, bold: bool, on: str) -> Style:
        background = self._colour(on) if on else None
        return Style(
            color=self._colour(name).rich_color,
            bgcolor=background.rich_color if background is not None and background.a else None,
            bold=bold or None,
        )

    def _colour(self, name: str) -> Color:
        try:
            return Color.parse(self.variables[name].partition(" ")[0])
        except (KeyError, ColorParseError):
            # A third-party theme may lack our variables, but it always has a text colour.
            return Color.parse(self.variables["foreground"])


class Inked(Widget):
    """A widget that draws its own lines."""

    _ink: Ink | None = None

    @property
    def ink(self) -> Ink:
        """The styles of the current theme."""
        variables = self.app.theme_variables
        if self._ink is None or self._ink.variables is not variables:
            self._ink = Ink(variables, ansi=self.app.native_ansi_color)
        return self._ink

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw the widget's background below its text: parts have their own background only where it differs."""
        background = self.background_colors[1]
        strips = super().render_lines(crop)
        if not background.a:
            return strips
        below = Style(bgcolor=background.rich_color)
        return [strip.apply_style(below) for strip in strips]
