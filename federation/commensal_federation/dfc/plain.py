"""Expands what nearly all platforms send: a known context, and names that it resolves by their prefixes alone.

The result is that of JSON-LD's expansion, several times sooner than the general algorithm comes to it. Whatever needs
more than prefixes (contexts of their own, relative names, languages, lists) is left to that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Harder(Exception):
    """This document needs a more general way."""


def expand_plain(document: Mapping[str, Any], context: Mapping[str, Any]) -> list[Any] | None:
    """The expanded nodes; None for a document that is not as plain as that. `context` has prefixes and links only."""
    terms = Terms(context)
    try:
        if document.keys() - {"@context"} == {"@graph"} and isinstance(document["@graph"], list):
            return [terms.node(one, top=True) for one in document["@graph"]]
        return [terms.node({name: said for name, said in document.items() if name != "@context"}, top=True)]
    except Harder:
        return None


class Terms:
    """The names of one document, by a context of prefixes."""

    def __init__(self, context: Mapping[str, Any]) -> None:
        self._prefixes = {name: said for name, said in context.items() if isinstance(said, str)}
        self._links = frozenset(name for name, said in context.items() if not isinstance(said, str))
        self._known: dict[str, str] = {}

    def is_link(self, name: str) -> bool:
        """Whether the context declares that texts of this property are names."""
        return name in self._links

    def node(self, said: Any, *, top: bool = False) -> dict[str, Any]:
        if not isinstance(said, dict) or (top and not said.keys() - {"@id"}) or said.get("@type") == []:
            raise Harder
        expanded: dict[str, Any] = {}
        for name, value in said.items():
            if name == "@id":
                expanded["@id"] = self.iri(value)
            elif name == "@type":
                types = value if isinstance(value, list) else [value]
                expanded["@type"] = [self.iri(one) for one in types]
            else:
                values = value if isinstance(value, list) else [value]
                link = name in self._links
                expanded[self.iri(name)] = [self._value(one, link) for one in values]
        return expanded

    def _value(self, value: Any, link: bool) -> dict[str, Any]:
        if isinstance(value, dict):
            if "@value" in value or not value:
                raise Harder
            return self.node(value)
        if value is None or isinstance(value, list):
            raise Harder
        return {"@id": self.iri(value)} if link and isinstance(value, str) else {"@value": value}

    def iri(self, name: Any) -> str:
        """A name with its prefix resolved. What has none, or is a keyword that is not known here, is harder."""
        known = self._known.get(name) if isinstance(name, str) else None
        if known is not None:
            return known
        if not isinstance(name, str) or name.startswith("@"):
            raise Harder
        prefix, colon, rest = name.partition(":")
        if not colon or not prefix or " " in name:
            raise Harder
        namespace = None if rest.startswith("//") else self._prefixes.get(prefix)
        iri = f"{namespace}{rest}" if namespace else name
        if len(self._known) < 100_000:
            self._known[name] = iri
        return iri
