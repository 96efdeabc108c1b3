"""Collects the plugin's routes: the JSON API, the routes of peers, and addresses that standards fix."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute

from commensal import Endpoint, Instance, hookimpl

from .catalogue.endpoints import routes as catalogue_endpoints
from .delivery.endpoints import routes as message_endpoints
from .delivery.work import start
from .evidence.endpoints import routes as evidence_endpoints
from .identity.document import identity_routes
from .identity.endpoints import routes as identity_endpoints
from .leases.endpoints import routes as lease_endpoints
from .linked_catalogues.backorders.endpoints import routes as backorder_endpoints
from .linked_catalogues.endpoints import routes as link_endpoints
from .moving.endpoints import routes as move_endpoints
from .office.arrivals import arrival_routes
from .office.pairing import welcome_routes
from .orders.endpoints import routes as order_endpoints
from .peering.endpoints import routes as peer_endpoints
from .platforms.container_pages import container_routes
from .platforms.endpoints import routes as platform_endpoints
from .platforms.server import dfc_routes
from .proposals.endpoints import routes as opening_endpoints
from .runtime import federation_of
from .serving.http import peer_routes


@hookimpl
def endpoints() -> Sequence[Endpoint]:
    """Endpoints of the JSON API of all rooms, under ``/api/-/federation/``."""
    rooms = (
        peer_endpoints,
        message_endpoints,
        identity_endpoints,
        catalogue_endpoints,
        lease_endpoints,
        order_endpoints,
        evidence_endpoints,
        opening_endpoints,
        move_endpoints,
        platform_endpoints,
        backorder_endpoints,
        link_endpoints,
    )
    return [endpoint for room in rooms for endpoint in room.endpoints]


@hookimpl
def routes(instance: Instance) -> Sequence[BaseRoute]:
    """The routes of peers, under ``/-/federation/``.

    The core calls this once, when the instance begins to serve, so the federation starts here too: before any order.
    """
    start(federation_of(instance))
    return [*peer_routes(instance), *welcome_routes(), *arrival_routes()]


@hookimpl
def fixed_routes(instance: Instance) -> Sequence[BaseRoute]:
    """Routes at fixed addresses: ``/.well-known/…``, ``/webid``, ``/api/dfc/…`` and ``/organizations/…``."""
    return [*identity_routes(instance), *dfc_routes(instance), *container_routes()]
