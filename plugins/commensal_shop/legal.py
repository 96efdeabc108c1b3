"""Legal pages of a hub and of the instance: legal notice, terms, privacy, accessibility.

A text that nobody has published is replaced by one that states what the software knows: addresses, periods, rights.
Terms of sale have no such text, since they are a hub's own promises.
"""

from __future__ import annotations

from starlette.responses import Response

from commensal import Enterprise, NotFound
from commensal.enterprises import LegalKind, LegalText, find_enterprise, legal_text_by_id, legal_text_of
from commensal.pages import Visit

from .showing import show

_OF_INSTANCE: tuple[LegalKind, ...] = ("notice", "terms", "privacy", "accessibility")
_OF_HUB: tuple[LegalKind, ...] = ("notice", "terms", "privacy")
_WRITTEN_HERE = ("notice", "privacy", "accessibility")  # there are templates for these


def instance_text_page(visit: Visit) -> Response:
    kind = _read_kind(visit, _OF_INSTANCE)
    with visit.read() as tx:
        published = legal_text_of(tx, kind)
    return _page(visit, published)


def hub_text_page(visit: Visit) -> Response:
    kind = _read_kind(visit, _OF_HUB)
    with visit.read() as tx:
        hub = find_enterprise(tx, visit.path["slug"], person_id=visit.actor.person_id)
        published = legal_text_of(tx, kind, hub.id)
    return _page(visit, published, hub)


def version_page(visit: Visit) -> Response:
    """Shows one version of a text, perhaps an old one: the terms that the customer of an order has accepted."""
    with visit.read() as tx:
        published = legal_text_by_id(tx, visit.path["text"])
    return _page(visit, published)


def _read_kind(visit: Visit, kinds: tuple[LegalKind, ...]) -> LegalKind:
    """The kind of text in the path. Raises `NotFound`."""
    kind = next((name for name in kinds if name == visit.path["kind"]), None)
    if kind is None:
        raise NotFound
    return kind


def _page(visit: Visit, published: LegalText, hub: Enterprise | None = None) -> Response:
    own = hub.language if hub is not None else visit.instance.settings.language
    language, html = published.text(visit.language, own)
    if not html and published.kind not in _WRITTEN_HERE:
        raise NotFound
    return show(
        visit,
        "legal/published" if html else f"legal/{published.kind}",
        legal=published,
        text_language=language,
        html=html,
        hub=hub,
        settings=visit.instance.settings,
    )
