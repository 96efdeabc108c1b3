"""The dialects of DFC that are spoken here: 1.16 and 2.0, and those that other plugins bring by the hook `dialects`."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence

import msgspec

from commensal import Dialect, Instance, dialects_of, hookimpl

from .vocabulary import Thing
from .write_20 import write as write_20
from .write_116 import write as write_116

V1 = "application/ld+json"
V2 = 'application/ld+json; profile="dfc-v2"'  # as Open Food Network has it


@hookimpl
def dialects() -> Sequence[Dialect]:
    return [
        Dialect(id="1.16", media_type=V1, asks=f"{V1}, application/json;q=0.9", write=_as_116),
        Dialect(id="2.0", media_type=V2, write=_as_20),
    ]


def spoken(instance: Instance) -> Sequence[Dialect]:
    """All of them, in the operator's order of plugins."""
    if id(instance) not in _known:
        _known[id(instance)] = dialects_of(instance)
        weakref.finalize(instance, _known.pop, id(instance), None)
    return _known[id(instance)]


def asked_for(instance: Instance, accept: str) -> Dialect:
    """The dialect that an `Accept` names, one with a profile first; else that of everybody, 1.16."""
    said = _bare(accept)
    named = [one for one in spoken(instance) if _mark(one.media_type) in said]
    return max(named, key=lambda one: "profile=" in one.media_type, default=by_id(instance, "1.16"))


def by_id(instance: Instance, id: str) -> Dialect:
    return next(one for one in spoken(instance) if one.id == id)


def accepted(instance: Instance, id: str) -> str:
    """The `Accept` that asks for a dialect, and for those of plugins where that cannot be had."""
    wanted = by_id(instance, id)
    others = [f"{one.media_type};q=0.5" for one in spoken(instance) if one.read is not None]
    return ", ".join((wanted.asks or wanted.media_type, *others))


def of_answer(instance: Instance, content_type: str) -> Dialect | None:
    """The dialect in which an answer is written, where it is none of JSON-LD."""
    kind = content_type.partition(";")[0].strip().lower()
    found = (one for one in spoken(instance) if one.read is not None and one.media_type.partition(";")[0] == kind)
    return next(found, None)


_known: dict[int, Sequence[Dialect]] = {}  # by the identity of the instance


def _mark(media_type: str) -> str:
    """What tells it from others: its profile, where it has one."""
    return _bare(media_type.rpartition("profile=")[2])


def _bare(text: str) -> str:
    return text.replace('"', "").replace(" ", "").lower()


def _as_116(things: Sequence[Thing], lists: Mapping[str, Sequence[str]]) -> bytes:
    return msgspec.json.encode(write_116(things))


def _as_20(things: Sequence[Thing], lists: Mapping[str, Sequence[str]]) -> bytes:
    return msgspec.json.encode(write_20(things, lists))
