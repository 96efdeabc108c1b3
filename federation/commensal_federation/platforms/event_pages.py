"""Receives notices of platforms: ``POST /api/dfc/events``, in the form that deployed platforms send."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from commensal import Forbidden, Invalid, NotFound, Problem
from commensal.pages import Visit

from ..dfc.read import SENT_IN, DfcDocument, read
from ..dfc.vocabulary import DfcEvent
from ..linked_catalogues.notices import take_notices
from ..linked_catalogues.values import host_of
from ..runtime import federation_of
from .responses import dfc_page
from .scopes import operator_platform, refuse_anonymous


def event_routes() -> Sequence[BaseRoute]:
    return [dfc_page("/api/dfc/events", events, "POST")]


def events(visit: Visit) -> Response:
    """``{"eventType": "refresh" | "update" | "revoke", "enterpriseUrlid": …, "scope": …, "objects": […]}``, or the
    updated things themselves. Accepted from platforms of the operator's settings, about their own host."""
    refuse_anonymous(visit)
    if not visit.actor.client:
        raise Forbidden("no_platform", "Only a platform says what has changed there.")
    platform = operator_platform(federation_of(visit.instance), visit.actor.client)
    if not host_of(platform.url):
        raise NotFound("nothing_linked", "Nothing of this platform is linked here.")
    events = _events(read(visit.body, limits=SENT_IN))
    with visit.write() as tx:
        count = take_notices(tx, host_of(platform.url), events)
    return JSONResponse({"links": count}, 202)


def _events(document: DfcDocument) -> tuple[DfcEvent, ...]:
    if document.events:
        return document.events
    iris = tuple(iri for iri in document.things if "://" in iri)
    if not iris:
        raise Invalid([Problem("nothing_named", "This notice names nothing that has changed.")])
    return (DfcEvent(kind="update", objects=iris),)
