"""Notices of platforms over HTTP: ``POST /api/dfc/events``, in the form in which deployed platforms send them."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from commensal import Forbidden, NotFound, Visit

from ..links.hearing import hear
from ..links.values import host_of
from ..platforms.scopes import known_platform
from ..runtime import federation_of
from .answering import dfc_page
from .asking import refuse_nobody
from .limits import SENT_IN
from .read import DfcDocument, read
from .vocabulary import DfcEvent


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
