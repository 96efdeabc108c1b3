"""Finds the route of a request among hundreds: only those are tried whose paths begin with the same two words."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

_Words = tuple[str, ...]


class Finding(BaseRoute):
    """Stands for all `routes`, and answers as if they stood in its place: the first that matches counts."""

    path = ""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self.routes = list(routes)
        words = [_literal(getattr(one, "path", "")) for one in self.routes]
        beginnings = {one[:number] for one in words for number in range(3)}
        self._found = {
            beginning: [route for route, own in zip(self.routes, words, strict=True) if beginning[: len(own)] == own]
            for beginning in beginnings
        }

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        partly: tuple[Match, Scope] = (Match.NONE, {})
        if scope["type"] != "http":
            return partly
        for one in self._candidates(scope["path"]):
            match, child = one.matches(scope)
            if match is Match.FULL:
                return match, {**child, "route": one}
            if match is Match.PARTIAL and partly[0] is Match.NONE:
                partly = match, {**child, "route": one}
        return partly

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await scope["route"].handle(scope, receive, send)

    def _candidates(self, path: str) -> Sequence[BaseRoute]:
        words = tuple(path.split("/", 3)[1:3])
        for number in range(len(words), 0, -1):
            found = self._found.get(words[:number])
            if found is not None:
                return found
        return self._found.get((), ())


def _literal(path: str) -> _Words:
    """At most two whole words with which every path begins that this one stands for."""
    literal, parameter, _ = path.partition("{")
    words = literal.split("/")[1:]
    return tuple(words[:-1] if parameter else words)[:2]
