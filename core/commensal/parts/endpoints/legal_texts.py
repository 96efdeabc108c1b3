"""Legal texts over the API: those of the instance for operators, each enterprise's for its members, all for readers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from ...api.endpoint import Body, Call, Routes
from ...base.errors import NotFound
from ...enterprises.enterprises import find_enterprise
from ...enterprises.legal_texts import (
    KINDS,
    LegalKind,
    LegalText,
    legal_text_by_id,
    legal_text_of,
    legal_texts_of,
    publish_legal_text,
)
from ..web.openapi import Language

routes = Routes("legal texts")

Text = Annotated[str, msgspec.Meta(max_length=20_000)]


class NewLegalText(Body, frozen=True, kw_only=True):
    """HTML or plain text by language ("fr"), in which an empty line separates paragraphs. None: it is withdrawn."""

    texts: Annotated[dict[Language, Text], msgspec.Meta(max_length=20)]


@routes.get("/legal-texts", scope="public")
def legal_texts_of_instance(call: Call) -> Sequence[LegalText]:
    """The legal texts of this instance: its legal notice, terms of use, privacy, and accessibility statement."""
    return list(legal_texts_of(call.tx).values())


@routes.get("/legal-text-versions/{text}", scope="public")
def legal_text(call: Call, text: str) -> LegalText:
    """One version of a legal text, of the instance or an enterprise, by id. Old versions stay."""
    return legal_text_by_id(call.tx, text)


@routes.put("/legal-texts/{kind}", scope="operator", edits=True)
def publish_text_of_instance(call: Call, kind: str, body: NewLegalText) -> LegalText:
    """Publishes the next version of a legal text of this instance. If-Match names the version before it, or "0"."""
    return publish_legal_text(call.tx, _read_kind(kind), call.version, body.texts)


@routes.get("/directory/{slug}/legal-texts", scope="public")
def legal_texts_of_enterprise(call: Call, slug: str) -> Sequence[LegalText]:
    """The legal texts of an enterprise that are published: its legal notice, terms of sale, and privacy."""
    shop = find_enterprise(call.tx, slug, person_id=call.actor.person_id)
    return list(legal_texts_of(call.tx, shop.id).values())


@routes.get("/enterprises/{enterprise}/legal-texts/{kind}", scope="enterprise:read")
def legal_text_of_mine(call: Call, enterprise: str, kind: str) -> LegalText:
    """The current version of one of my enterprise's legal texts; of version 0 if there is none."""
    return legal_text_of(call.tx, _read_kind(kind), enterprise)


@routes.put("/enterprises/{enterprise}/legal-texts/{kind}", scope="enterprise:write", edits=True)
def publish_text_of_mine(call: Call, enterprise: str, kind: str, body: NewLegalText) -> LegalText:
    """Publishes the next version of a legal text of my enterprise. If-Match names the version before it, or "0"."""
    return publish_legal_text(call.tx, _read_kind(kind), call.version, body.texts, enterprise_id=enterprise)


def _read_kind(kind: str) -> LegalKind:
    """The kind of the path. Raises `NotFound`."""
    known = next((name for name in KINDS if name == kind), None)
    if known is None:
        raise NotFound("no_legal_text", "There is no such text.")
    return known
