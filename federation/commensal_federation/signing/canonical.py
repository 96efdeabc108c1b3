"""Canonical bytes of JSON (RFC 8785). Within the profile that only means sorted keys, so orjson writes them."""

from __future__ import annotations

import orjson

from .profile import JsonObject, refuse_beyond_profile


def canonical(document: JsonObject) -> bytes:
    """The document's canonical bytes. Raises `Unreadable` for a document outside the profile."""
    refuse_beyond_profile(document)
    return canonical_unchecked(document)


def canonical_unchecked(document: JsonObject) -> bytes:
    """Like `canonical`, for a document known to be within the profile: from `read_json`, or just signed."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
