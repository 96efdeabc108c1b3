"""Notices of platforms over HTTP: ``POST /api/dfc/events``, in the form in which deployed platforms send them."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from commensal import Forbidden, NotFound, Visit

from ..dfc.limits import SENT_IN
from ..dfc.read import DfcDocument, read
from ..dfc.vocabulary import DfcEvent
from ..linked_catalogues.hearing import hear
from ..linked_catalogues.values import host_of
from ..runtime import federation_of
from .dfc_answering import dfc_page
from .dfc_asking import refuse_nobody
from .scopes import known_platform


def event_routes() -> Sequence[BaseRoute]:
    return [dfc_page("/api/dfc/events", events, "POST")]


def events(visit: Visit) -> Response:
    """``{"eventType": "refresh" | "update" | "revoke", "enterpriseUrlid": …, "scope": …, "objects": […]}``, or the
    things themselves that were updated. Only from platforms that the operator knows, about their own host."""
    refuse_nobody(visit)
    if not visit.actor.client:
        raise Forbidden("no_platform", "Only a platform says what has changed there.")
    platform = known_platform(federation_of(visit.instance), visit.actor.client)
    if not host_of(platform.url):
        raise NotFound("nothing_linked", "Nothing of this platform is linked here.")
    said = _said(read(visit.body, limits=SENT_IN))
    with visit.write() as tx:
        count = hear(tx, host_of(platform.url), said)
    return JSONResponse({"links": count}, 202)


def _said(document: DfcDocument) -> tuple[DfcEvent, ...]:
    if document.events:
        return document.events
    named = tuple(iri for iri in document.things if "://" in iri)
    return (DfcEvent(kind="update", objects=named),)
