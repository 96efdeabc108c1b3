"""``/.well-known/commensal`` and ``/.well-known/did.json``: who this instance is, for everybody."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from commensal import Instance, Refused, Visit, page

from ..runtime import federation_of
from ..signing import canonical
from .begin import begin_identity
from .did import did_document
from .document import instance_document

_KEPT = {"Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"}


def identity_routes(instance: Instance) -> Sequence[BaseRoute]:
    """At the first start of the plugin this makes the keys."""
    begin_identity(federation_of(instance))
    return [
        page("/.well-known/commensal", own_document, on_error=on_error),
        page("/.well-known/did.json", own_did_document, on_error=on_error),
    ]


def own_document(visit: Visit) -> Response:
    with visit.read() as tx:
        content = canonical(instance_document(federation_of(visit.instance), tx))
    return Response(content, media_type="application/ld+json", headers=_KEPT)


def own_did_document(visit: Visit) -> Response:
    with visit.read() as tx:
        said = did_document(instance_document(federation_of(visit.instance), tx))
    return Response(canonical(said), media_type="application/did+json", headers=_KEPT)


def on_error(visit: Visit, error: Exception) -> Response:
    """Others try again later; what is wrong with our keys is for our operator to know (`commensal check`)."""
    status = error.status if isinstance(error, Refused) and error.status == 429 else 503
    return JSONResponse({"title": "This instance cannot say now who it is."}, status)
