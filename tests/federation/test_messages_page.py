"""Every type of message has an example on the page for those who write another implementation, and DFC can read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pyld import FrozenDocumentLoader, jsonld  # type: ignore[import-untyped]

from commensal_federation.dfc.contexts import CONTEXTS
from commensal_federation.messages.envelope import DFC_CONTEXT, ENVELOPE_CONTEXT, read_envelope
from commensal_federation.messages.registry import TYPES
from commensal_federation.messages.types import Reading, Writing
from commensal_federation.signing import read_json

from .examples import BODIES, FARM, HUB, example, page

PAGE = Path(__file__).parents[2] / "federation" / "MESSAGES.md"
every_type = pytest.mark.parametrize("name", TYPES)


def test_the_page_is_what_the_code_says() -> None:
    said = "run `python tests/federation/examples.py > federation/MESSAGES.md`"
    assert PAGE.read_text(encoding="utf-8") == "\n".join(page()) + "\n", said


def test_every_type_has_an_example() -> None:
    assert set(BODIES) == set(TYPES)


@every_type
def test_what_is_written_is_read_again(name: str) -> None:
    body = example(name)
    envelope = read_envelope(read_json(body, 1024 * 1024), body)
    origin, base = (HUB, FARM) if envelope.actor.startswith(HUB) else (FARM, HUB)
    read = TYPES[name].read(envelope.object, Reading(base, origin))
    writing = Writing(origin, base)
    assert TYPES[name].write(read, writing) == TYPES[name].write(BODIES[name], writing)


@every_type
def test_no_term_is_lost_when_json_ld_is_read(name: str) -> None:
    """Neither of the envelope nor of the DFC document in it."""
    loader = FrozenDocumentLoader({DFC_CONTEXT: CONTEXTS[DFC_CONTEXT], ENVELOPE_CONTEXT: CONTEXTS[ENVELOPE_CONTEXT]})
    dropped: list[Any] = []
    options = {"documentLoader": loader, "base": ""}
    (expanded,) = jsonld.expand(json.loads(example(name)), options, on_property_dropped=dropped.append)
    assert dropped == []
    assert "https://commensal.example/ns/federation/v1#object" in expanded
