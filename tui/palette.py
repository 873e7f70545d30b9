"""The command palette: every action that applies, and every certificate by its name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from tui import text
from tui.actions import Action, offered
from tui.glyphs import printable
from tui.screens.page import Page

if TYPE_CHECKING:
    from tui.app import CertdeckApp


class ActionProvider(Provider):
    """What can be done on the screen below."""

    def _commands(self) -> list[tuple[str, str, Callable[[], Any]]]:
        screen = self.screen
        if not isinstance(screen, Page):
            return []
        actions: list[Action] = [action for action in offered(screen.actions(), screen.situation()) if action.palette]
        found: list[tuple[str, str, Callable[[], Any]]] = [
            (f"{action.title}  ({action.key_shown})", action.help, partial(screen.deck.perform, action))
            for action in actions
        ]
        for theme in screen.deck.deck_themes():
            found.append(
                (
                    f"Theme: {printable(theme.name)}",
                    "Use this theme for the session.",
                    partial(setattr, screen.deck, "theme", theme.name),
                )
            )
        return found

    async def discover(self) -> Hits:
        for title, words, do in self._commands():
            yield DiscoveryHit(Content(title), do, text=title, help=words)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, words, do in self._commands():
            score = matcher.match(title)
            if score > 0:
                yield Hit(score, Content(title), do, text=title, help=words)


class CertificateProvider(Provider):
    """Goes to a certificate by its name or one of its domains."""

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        deck = cast("CertdeckApp", self.app)
        for lineage in deck.status.lineages if deck.status else ():
            name = printable(lineage.name)
            score = max(
                matcher.match(name), *(matcher.match(text.name_shown(domain)) for domain in lineage.domains), 0.0
            )
            if score > 0:
                words = f"{text.days_left(lineage, deck.now())} · {text.names_shown(lineage.domains)}"
                yield Hit(
                    score, Content(f"Certificate {name}"), partial(deck.go_to, lineage.name), text=name, help=words
                )


class DeckPalette(CommandPalette):
    """Textual's palette over our providers alone."""

    def __init__(self) -> None:
        super().__init__(
            providers=[ActionProvider, CertificateProvider], placeholder="Type a command or a certificate's name"
        )
