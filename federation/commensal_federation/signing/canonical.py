"""Canonical bytes (RFC 8785). Within the profile, sorted keys are all there is to it, so orjson writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from .profile import refuse_beyond_profile


def canonical(document: Mapping[str, Any]) -> bytes:
    """The one way to write the document. Raises `Unreadable` for what is outside the profile."""
    refuse_beyond_profile(document)
    return written(document)


def written(document: Mapping[str, Any]) -> bytes:
    """The same of a document that is known to be within the profile: `read_json` gave it, or it was signed just now."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
