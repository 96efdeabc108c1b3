"""Finds the route of a request among hundreds by trying only those whose path begins with the same two words."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

_Words = tuple[str, ...]


class RouteIndex(BaseRoute):
    """One Starlette route in place of all `routes`, with the same result: the first one that matches answers."""

    path = ""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self.routes = list(routes)
        self._words = [_literal_words(getattr(route, "path", "")) for route in self.routes]
        self._prefixes = {words[:length] for words in self._words for length in range(3)}
        self._by_prefix = dict[_Words, list[BaseRoute]]()  # filled as requests come: most never do

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        partial_match: tuple[Match, Scope] = (Match.NONE, {})
        if scope["type"] != "http":
            return partial_match
        for route in self._candidates(scope["path"]):
            match, child = route.matches(scope)
            if match is Match.FULL:
                return match, {**child, "route": route}
            if match is Match.PARTIAL and partial_match[0] is Match.NONE:
                partial_match = match, {**child, "route": route}
        return partial_match

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await scope["route"].handle(scope, receive, send)

    def _candidates(self, path: str) -> Sequence[BaseRoute]:
        words = tuple(path.split("/", 3)[1:3])
        prefix = next((words[:length] for length in (2, 1) if words[:length] in self._prefixes), ())
        if prefix not in self._by_prefix:
            self._by_prefix[prefix] = [
                route for route, own in zip(self.routes, self._words, strict=True) if prefix[: len(own)] == own
            ]
        return self._by_prefix[prefix]


def _literal_words(path: str) -> _Words:
    """The words at the beginning of a route's path, before any parameter; at most two."""
    literal, parameter, _ = path.partition("{")
    words = literal.split("/")[1:]
    return tuple(words[:-1] if parameter else words)[:2]
