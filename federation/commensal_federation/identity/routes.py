"""Serves the public identity of this instance: ``/.well-known/commensal`` and ``/.well-known/did.json``."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from commensal import Instance, Refused
from commensal.pages import Visit, page

from ..runtime import federation_of
from ..signing import canonical
from .document import did_document, instance_document
from .rotation import begin_identity

_KEPT = {"Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"}


def identity_routes(instance: Instance) -> Sequence[BaseRoute]:
    """The routes; the first call makes the keys. Scripts of all sites may read both, as resolvers of did:web in a
    browser do (https://w3c-ccg.github.io/did-method-web/)."""
    begin_identity(federation_of(instance))
    return [
        page("/.well-known/commensal", own_document, on_error=on_error, every_origin=True),
        page("/.well-known/did.json", own_did_document, on_error=on_error, every_origin=True),
    ]


def own_document(visit: Visit) -> Response:
    with visit.read() as tx:
        content = canonical(instance_document(federation_of(visit.instance), tx))
    return Response(content, media_type="application/ld+json", headers=_KEPT)


def own_did_document(visit: Visit) -> Response:
    with visit.read() as tx:
        document = did_document(instance_document(federation_of(visit.instance), tx))
    return Response(canonical(document), media_type="application/did+json", headers=_KEPT)


def on_error(visit: Visit, error: Exception) -> Response:
    """Answers 503, or 429: others try again later. Details about our keys are only for `commensal check`."""
    status = error.status if isinstance(error, Refused) and error.status == 429 else 503
    return JSONResponse({"title": "This instance cannot say now who it is."}, status)
