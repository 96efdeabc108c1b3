"""Sales across instances over the JSON API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec

from commensal import Body, Call, Page, Paging, Routes, page_of

from ..messages.proposals import ProposedSale
from ..runtime import federation_of
from .proposing import propose_sale, withdraw_sale
from .receiving import accept_sale, proposals_of, refuse_sale

routes = Routes("federation_openings", where_off=True)
_SALES = "/enterprises/{enterprise}/proposed-sales"

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Iri = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Proposal(Body, frozen=True, kw_only=True):
    """`begins_at` and `ends_at` are those of the distribution; `sale` is the IRI of a proposal that changes."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    opens_at: Moment
    closes_at: Moment
    begins_at: Moment
    ends_at: Moment
    sale: Iri | None = None


class ProposalReference(Body, frozen=True, kw_only=True):
    """A proposal by its IRI."""

    sale: Iri


class AcceptedProposal(Body, frozen=True, kw_only=True):
    """The hub's catalog; null: the one that follows the producer, or the first."""

    catalog_id: Id | None = None


@routes.get(_SALES, scope="sales:read")
def proposed_sales(call: Call, enterprise: str, query: Paging) -> Page[ProposedSale]:
    """Lists sales that the enterprise has proposed to remote hubs, and those that producers have proposed to it."""
    sales = proposals_of(call.tx, enterprise, after=query.after, limit=query.limit)
    return page_of(sales, query.limit, lambda sale: sale.id)


@routes.post(_SALES, scope="sales:write", status=201)
def propose_instance_sale(call: Call, enterprise: str, body: Proposal) -> Sequence[ProposedSale]:
    """Proposes one sale to every hub with a grant, or changes a proposed one."""
    return propose_sale(federation_of(call.instance), call.tx, enterprise, **msgspec.structs.asdict(body))


@routes.post(f"{_SALES}/withdraw", scope="sales:write")
def withdraw_instance_sale(call: Call, enterprise: str, body: ProposalReference) -> Sequence[ProposedSale]:
    """Withdraws a proposed sale. Hubs that have accepted it are notified and decide themselves."""
    return withdraw_sale(federation_of(call.instance), call.tx, enterprise, body.sale)


@routes.post(f"{_SALES}/{{proposal}}/accept", scope="sales:write")
def accept_instance_sale(call: Call, enterprise: str, proposal: str, body: AcceptedProposal) -> ProposedSale:
    """Accepts a proposed sale: it becomes one of the hub's own."""
    return accept_sale(federation_of(call.instance), call.tx, enterprise, proposal, catalog_id=body.catalog_id)


@routes.post(f"{_SALES}/{{proposal}}/refuse", scope="sales:write")
def refuse_instance_sale(call: Call, enterprise: str, proposal: str) -> ProposedSale:
    """Refuses a proposed sale."""
    return refuse_sale(federation_of(call.instance), call.tx, enterprise, proposal)
