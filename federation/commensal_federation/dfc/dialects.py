"""The dialects of DFC that this instance writes: 1.16, 2.0, and those that plugins add by the hook `dialects`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from commensal import Dialect, Instance, dialects_of, hookimpl

from .vocabulary import Thing
from .write import write_20, write_116

V1 = "application/ld+json"
V2 = 'application/ld+json; profile="dfc-v2"'  # as Open Food Network sends it


@hookimpl
def dialects() -> Sequence[Dialect]:
    return [
        Dialect(id="1.16", media_type=V1, asks=f"{V1}, application/json;q=0.9", write=_as_116),
        Dialect(id="2.0", media_type=V2, write=_as_20),
    ]


def all_dialects(instance: Instance) -> Sequence[Dialect]:
    """All dialects, in the operator's order of plugins."""
    return instance.state.of(dialects_of)


def negotiate(instance: Instance, accept: str) -> Dialect:
    """The dialect that an `Accept` header names, preferably one with a profile; without a match, 1.16."""
    accepted = _normalised(accept)
    matches = [dialect for dialect in all_dialects(instance) if _marker(dialect.media_type) in accepted]
    return max(matches, key=lambda dialect: "profile=" in dialect.media_type, default=dialect_by_id(instance, "1.16"))


def dialect_by_id(instance: Instance, id: str) -> Dialect:
    return next(dialect for dialect in all_dialects(instance) if dialect.id == id)


def accept_header(instance: Instance, id: str) -> str:
    """The `Accept` header that requests a dialect, and with lower preference those that plugins can read."""
    preferred = dialect_by_id(instance, id)
    others = [f"{dialect.media_type};q=0.5" for dialect in all_dialects(instance) if dialect.read is not None]
    return ", ".join((preferred.asks or preferred.media_type, *others))


def dialect_of_answer(instance: Instance, content_type: str) -> Dialect | None:
    """The dialect of a plugin that reads this content type; None for JSON-LD."""
    media_type = content_type.partition(";")[0].strip().lower()
    for dialect in all_dialects(instance):
        if dialect.read is not None and dialect.media_type.partition(";")[0] == media_type:
            return dialect
    return None


def _marker(media_type: str) -> str:
    """The part of a media type that distinguishes it: its profile, if it has one."""
    return _normalised(media_type.rpartition("profile=")[2])


def _normalised(text: str) -> str:
    return text.replace('"', "").replace(" ", "").lower()


def _as_116(things: Sequence[Thing], lists: Mapping[str, Sequence[str]]) -> bytes:
    return msgspec.json.encode(write_116(things))


def _as_20(things: Sequence[Thing], lists: Mapping[str, Sequence[str]]) -> bytes:
    return msgspec.json.encode(write_20(things, lists))
