"""Trust in words: levels, each of which stands for scopes, so that nobody has to know their names."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from commensal import Invalid, Problem, translate

from ..messages.types import SCOPES

LEVELS: Mapping[str, frozenset[str]] = {
    "know": frozenset({"catalogue.read", "sale.propose"}),
    "trade": frozenset({"catalogue.read", "sale.propose", "order.place", "stock.lease"}),
    "close": frozenset(SCOPES),
}


def level_of(scopes: Collection[str]) -> str:
    """The level that these scopes make up; "" for another choice. Scopes of plugins' messages do not count."""
    own = frozenset(scopes) & frozenset(SCOPES)
    return next((name for name, level in LEVELS.items() if level == own), "")


def scopes_of_level(name: str, current: Collection[str] = ()) -> list[str]:
    """The scopes of a level, with those of plugins' messages that are given already. Raises `Invalid`."""
    if name not in LEVELS:
        raise Invalid([Problem("level", "Choose how far you trust it.", "/level")])
    return sorted(LEVELS[name] | (frozenset(current) - frozenset(SCOPES)))


def level_words(language: str) -> list[tuple[str, str, str]]:
    """Each level with its name and what it means, for radio buttons."""
    return [
        (
            "know",
            translate(language, "We get to know each other"),
            translate(language, "It sees goods that producers here offer to its hubs, and proposes sales to ours."),
        ),
        (
            "trade",
            translate(language, "We trade"),
            translate(language, "Its hubs order besides, and hold a part of the stock so that customers do not wait."),
        ),
        (
            "close",
            translate(language, "We work closely together"),
            translate(
                language,
                "Enterprises move between the two sites besides, transport is shared, and its hubs pass on the names "
                "of customers who have agreed.",
            ),
        ),
    ]


def scope_words(language: str) -> Mapping[str, str]:
    """What each scope lets the other side do here."""
    return {
        "catalogue.read": translate(language, "lists goods that producers here offer to its hubs"),
        "order.place": translate(language, "orders these goods for its customers"),
        "stock.lease": translate(language, "holds a part of the stock for its customers"),
        "sale.propose": translate(language, "proposes sales of its producers to hubs here"),
        "transport": translate(language, "shares transport with enterprises here"),
        "enterprise.move": translate(language, "brings enterprises that move here"),
        "order.names": translate(language, "passes on names of its customers who have agreed"),
    }


def scope_words_there(language: str) -> Mapping[str, str]:
    """What each scope lets our side do there."""
    return {
        "catalogue.read": translate(language, "we list goods that its producers offer to our hubs"),
        "order.place": translate(language, "we order these goods for our customers"),
        "stock.lease": translate(language, "we hold a part of the stock for our customers"),
        "sale.propose": translate(language, "we propose sales of our producers to its hubs"),
        "transport": translate(language, "we share transport with its enterprises"),
        "enterprise.move": translate(language, "enterprises of ours may move there"),
        "order.names": translate(language, "we pass on names of our customers who have agreed"),
    }
