"""Sales over the API: coordinators plan and run them; anybody can list open sales and their offers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from ...api.endpoint import Body, Call, Page, Paging, Routes, changes, page_of
from ...base.errors import NotFound
from ...base.languages.catalogs import MOST
from ...orders.cancel import cancel_coordination
from ...orders.sale_context import known_customer
from ...sale_sessions.coordinations import change_coordination, open_coordination, remove_supplier, set_supplier
from ...sale_sessions.on_sale import put_on_sale, take_off_sale
from ...sale_sessions.questions import (
    coordination_by_id,
    coordinations_of,
    items_on_sale,
    page_key,
    sale_for,
    sales,
    session_by_id,
    sessions_of,
    sessions_of_shop,
)
from ...sale_sessions.sessions import add_session, change_session, remove_session
from ...sale_sessions.values import LONGEST_NAME, Coordination, ItemOnSale, Sale, SaleSession, Supplier
from ...sale_sessions.visible_offers import VisibleOffer, offers_for
from ..sale_calendar.clone import clone_coordination
from ..supply.moving_distribution import move_distribution
from ..supply.reopening import reopen_sale
from ..supply.withdrawing import LONGEST_REASON

routes = Routes("sales")

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Rule = Annotated[str, msgspec.Meta(max_length=200)]
Note = Annotated[str, msgspec.Meta(max_length=2000)]
Names = Annotated[dict[str, Annotated[str, msgspec.Meta(max_length=LONGEST_NAME)]], msgspec.Meta(max_length=MOST)]
Notes = Annotated[dict[str, Note], msgspec.Meta(max_length=MOST)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Unset = msgspec.UnsetType


class SupplierWanted(Body, frozen=True, kw_only=True):
    """`closes_at` is the supplier's own cut-off; null is the closing of each session."""

    enterprise_id: Id
    closes_at: Moment | None = None


class NewCoordination(Body, frozen=True, kw_only=True):
    """`rhythm` is an RFC 5545 recurrence rule without DTSTART, counted in the coordinator's time zone."""

    name: Name
    opens_at: Moment
    closes_at: Moment
    rhythm: Rule | None = None
    suppliers: Annotated[tuple[SupplierWanted, ...], msgspec.Meta(max_length=500)] = ()


class CoordinationPatch(Body, frozen=True, kw_only=True):
    """A closing in the past closes the sale now."""

    name: Name | Unset = msgspec.UNSET
    opens_at: Moment | Unset = msgspec.UNSET
    closes_at: Moment | Unset = msgspec.UNSET
    rhythm: Rule | Unset | None = msgspec.UNSET


class Cancelling(Body, frozen=True, kw_only=True):
    """With `series` the sale does not come back either."""

    series: bool = False


class Cloning(Body, frozen=True, kw_only=True):
    """`closes_at` and `begins_at`, of the coordinator's own hand-out: null keeps their distance to the opening."""

    opens_at: Moment
    closes_at: Moment | None = None
    begins_at: Moment | None = None


class SaleReopening(Body, frozen=True, kw_only=True):
    closes_at: Moment


class NewDistribution(Body, frozen=True, kw_only=True):
    """`ends_at` null: it lasts as long as before. Customers read the `reason` in their e-mail; empty: none."""

    begins_at: Moment
    ends_at: Moment | None = None
    reason: Annotated[str, msgspec.Meta(max_length=LONGEST_REASON)] = ""


class DistributionMoved(msgspec.Struct, frozen=True, kw_only=True):
    """`orders`: how many have another time now; `without_email`: the numbers of those whose customers got no e-mail;
    `suppliers`: names of those of this instance whose orders were revised."""

    session: SaleSession
    orders: int
    without_email: list[int]
    suppliers: list[str]


class CutOff(Body, frozen=True, kw_only=True):
    closes_at: Moment | None = None


class NewSession(Body, frozen=True, kw_only=True):
    """Opens and closes with the sale where nothing else is said; `begins_at`, `ends_at` are of the distribution.
    One that begins before the closing is not refused: what is ordered after that must be there already.

    `names` is the name of the sale, and `notes` the `note`, in further languages than the shop's, by their ISO 639
    codes.
    """

    shop_id: Id
    catalog_id: Id
    begins_at: Moment
    ends_at: Moment
    opens_at: Moment | None = None
    closes_at: Moment | None = None
    names: Names = msgspec.field(default_factory=dict)
    note: Note = ""
    notes: Notes = msgspec.field(default_factory=dict)


class SessionPatch(Body, frozen=True, kw_only=True):
    """A closing in the past closes the session now. All of `names` is replaced, and all of `notes`."""

    opens_at: Moment | Unset = msgspec.UNSET
    closes_at: Moment | Unset = msgspec.UNSET
    begins_at: Moment | Unset = msgspec.UNSET
    ends_at: Moment | Unset = msgspec.UNSET
    names: Names | Unset = msgspec.UNSET
    note: Note | Unset = msgspec.UNSET
    notes: Notes | Unset = msgspec.UNSET


class ItemsWanted(Body, frozen=True, kw_only=True):
    """`items` are ids of catalog items; null is all of the catalog that may be sold."""

    items: Annotated[list[Id], msgspec.Meta(max_length=1000)] | None = None


class Counted(msgspec.Struct, frozen=True):
    """How many were changed."""

    count: int


class SaleQuery(Paging, frozen=True, kw_only=True):
    """`shop` names one shop; without it, all public ones."""

    openness: Literal["open", "coming", "both"] = "both"
    shop: Annotated[str, msgspec.Meta(max_length=64)] = ""


# ------------------------------------------------------------------------------------------------ anybody


@routes.get("/sale-sessions", scope="public")
def public_sales(call: Call, query: SaleQuery) -> Page[Sale]:
    """Sales that are open or still to open, those that close first come first."""
    found_sales = sales(
        call.tx, openness=query.openness, shop_id=query.shop or None, after=query.after, limit=query.limit
    )
    return page_of(found_sales, query.limit, page_key)


@routes.get("/sale-sessions/{session}", scope="public")
def public_sale(call: Call, session: str) -> Sale:
    """One sale with its shop; that of a hidden shop only for its members and customers."""
    return sale_for(call.tx, session, call.actor.person_id)


@routes.get("/sale-sessions/{session}/offers", scope="public")
def public_offers(call: Call, session: str, query: Paging) -> Page[VisibleOffer]:
    """What the sale offers to this customer, with their prices and what is left."""
    shop = sale_for(call.tx, session, call.actor.person_id).shop
    customer = known_customer(call.tx, shop.id, call.actor.person_id)
    offers = offers_for(call.tx, session, customer.category_ids, after=query.after, limit=query.limit)
    return page_of(offers, query.limit, lambda offer: offer.item_id)


# ------------------------------------------------------------------------------------------------ the shop


@routes.get("/enterprises/{enterprise}/sale-sessions", scope="sales:read")
def shop_sessions(call: Call, enterprise: str, query: Paging) -> Page[SaleSession]:
    """Sales that this shop takes part in, the newest first."""
    sessions = sessions_of_shop(call.tx, enterprise, after=query.after, limit=query.limit)
    return page_of(sessions, query.limit, lambda session: session.id)


# ------------------------------------------------------------------------------------------------ the coordinator


@routes.get("/enterprises/{enterprise}/coordinations", scope="sales:read")
def coordinations(call: Call, enterprise: str, query: Paging) -> Page[Coordination]:
    """Sales that this enterprise coordinates, the newest first."""
    found_coordinations = coordinations_of(call.tx, enterprise, after=query.after, limit=query.limit)
    return page_of(found_coordinations, query.limit, lambda coordination: coordination.id)


@routes.post("/enterprises/{enterprise}/coordinations", scope="sales:write", status=201)
def plan_sale(call: Call, enterprise: str, body: NewCoordination) -> Coordination:
    """Plans a sale, or opens it at once."""
    suppliers = [
        Supplier(enterprise_id=supplier.enterprise_id, closes_at=supplier.closes_at) for supplier in body.suppliers
    ]
    return open_coordination(
        call.tx,
        coordinator_id=enterprise,
        name=body.name,
        opens_at=body.opens_at,
        closes_at=body.closes_at,
        rhythm=body.rhythm,
        suppliers=suppliers,
    )


@routes.get("/enterprises/{enterprise}/coordinations/{coordination}", scope="sales:read")
def coordination(call: Call, enterprise: str, coordination: str) -> Coordination:
    """One sale with its suppliers."""
    return coordination_by_id(call.tx, coordination, enterprise)


@routes.patch("/enterprises/{enterprise}/coordinations/{coordination}", scope="sales:write", edits=True)
def change_sale(call: Call, enterprise: str, coordination: str, body: CoordinationPatch) -> Coordination:
    """Changes a sale, also while it runs; its sessions follow."""
    return change_coordination(call.tx, coordination, enterprise, call.version, **changes(body))


@routes.post("/enterprises/{enterprise}/coordinations/{coordination}/cancel", scope="sales:write", edits=True)
def cancel_sale(call: Call, enterprise: str, coordination: str, body: Cancelling) -> Coordination:
    """Cancels a sale in which nobody has ordered."""
    cancel_coordination(call.tx, coordination, enterprise, call.version, series=body.series)
    return coordination_by_id(call.tx, coordination, enterprise)


@routes.post("/enterprises/{enterprise}/coordinations/{coordination}/clones", scope="sales:write", status=201)
def clone_sale(call: Call, enterprise: str, coordination: str, body: Cloning) -> Coordination:
    """Makes a sale after the model of this one; all times move by the clock."""
    return clone_coordination(
        call.tx,
        call.instance.hooks,
        coordination,
        enterprise,
        body.opens_at,
        closes_at=body.closes_at,
        begins_at=body.begins_at,
    )


@routes.post("/enterprises/{enterprise}/coordinations/{coordination}/reopening", scope="sales:write", edits=True)
def reopen_closed_sale(call: Call, enterprise: str, coordination: str, body: SaleReopening) -> Coordination:
    """Opens a closed sale again, before its distribution; suppliers that were told get a revision when it closes."""
    return reopen_sale(call.tx, call.instance.hooks, coordination, enterprise, call.version, body.closes_at)


@routes.put(
    "/enterprises/{enterprise}/coordinations/{coordination}/suppliers/{supplier}", scope="sales:write", edits=True
)
def put_supplier(call: Call, enterprise: str, coordination: str, supplier: str, body: CutOff) -> Coordination:
    """Adds a supplier to a sale, or changes its cut-off."""
    new_supplier = Supplier(enterprise_id=supplier, closes_at=body.closes_at)
    return set_supplier(call.tx, coordination, enterprise, call.version, new_supplier)


@routes.delete(
    "/enterprises/{enterprise}/coordinations/{coordination}/suppliers/{supplier}",
    scope="sales:write",
    edits=True,
    status=200,
)
def drop_supplier(call: Call, enterprise: str, coordination: str, supplier: str) -> Coordination:
    """Takes a supplier and its goods out of a sale; what was ordered stays ordered."""
    return remove_supplier(call.tx, coordination, enterprise, call.version, supplier)


@routes.get("/enterprises/{enterprise}/coordinations/{coordination}/sessions", scope="sales:read")
def coordination_sessions(call: Call, enterprise: str, coordination: str) -> list[SaleSession]:
    """The shops that take part in a sale."""
    coordination_by_id(call.tx, coordination, enterprise)
    return sessions_of(call.tx, coordination, enterprise)


@routes.post("/enterprises/{enterprise}/coordinations/{coordination}/sessions", scope="sales:write", status=201)
def join_sale(call: Call, enterprise: str, coordination: str, body: NewSession) -> SaleSession:
    """Lets a shop take part in a sale; another shop than the coordinator must have granted it WriteOrders."""
    return add_session(call.tx, coordination, enterprise, **msgspec.structs.asdict(body))


_SESSION = "/enterprises/{enterprise}/coordinations/{coordination}/sessions/{session}"


@routes.get(_SESSION, scope="sales:read")
def coordination_session(call: Call, enterprise: str, coordination: str, session: str) -> SaleSession:
    """A shop's part in a sale."""
    return _session_of_sale(call, enterprise, coordination, session)


@routes.patch(_SESSION, scope="sales:write", edits=True)
def change_shop_session(
    call: Call, enterprise: str, coordination: str, session: str, body: SessionPatch
) -> SaleSession:
    """Changes when a shop sells and distributes, also while it sells."""
    _session_of_sale(call, enterprise, coordination, session)
    return change_session(call.tx, call.instance.hooks, session, enterprise, call.version, **changes(body))


@routes.post(f"{_SESSION}/distribution", scope="sales:write", edits=True)
def move_sale_distribution(
    call: Call, enterprise: str, coordination: str, session: str, body: NewDistribution
) -> DistributionMoved:
    """Moves the distribution of a shop with its orders and their slots, also after the closing. Customers get an e-mail
    with the old and the new time, suppliers a revision. To move it back is the same request with the old times."""
    _session_of_sale(call, enterprise, coordination, session)
    moved = move_distribution(
        call.tx,
        call.instance.hooks,
        session,
        enterprise,
        call.version,
        body.begins_at,
        ends_at=body.ends_at,
        reason=body.reason,
    )
    without_email = [order.number for order in moved.orders if not order.email]
    return DistributionMoved(
        session=moved.session, orders=len(moved.orders), without_email=without_email, suppliers=list(moved.suppliers)
    )


@routes.delete(_SESSION, scope="sales:write", edits=True)
def leave_sale(call: Call, enterprise: str, coordination: str, session: str) -> None:
    """Takes a shop out of a sale, as long as nobody has begun to order there."""
    _session_of_sale(call, enterprise, coordination, session)
    remove_session(call.tx, session, enterprise, call.version)


@routes.get(f"{_SESSION}/items", scope="sales:read")
def session_items(call: Call, enterprise: str, coordination: str, session: str, query: Paging) -> Page[ItemOnSale]:
    """What a shop sells in a sale."""
    _session_of_sale(call, enterprise, coordination, session)
    items = items_on_sale(call.tx, session, enterprise, after=query.after, limit=query.limit)
    return page_of(items, query.limit, lambda item: item.item_id)


@routes.post(f"{_SESSION}/items", scope="sales:write")
def add_session_items(call: Call, enterprise: str, coordination: str, session: str, body: ItemsWanted) -> Counted:
    """Puts items on sale; says how many are new."""
    _session_of_sale(call, enterprise, coordination, session)
    return Counted(put_on_sale(call.tx, session, enterprise, body.items))


@routes.delete(f"{_SESSION}/items/{{item}}", scope="sales:write")
def drop_session_item(call: Call, enterprise: str, coordination: str, session: str, item: str) -> None:
    """Takes an item off sale; what was ordered of it stays ordered."""
    _session_of_sale(call, enterprise, coordination, session)
    if not take_off_sale(call.tx, session, enterprise, [item]):
        raise NotFound


def _session_of_sale(call: Call, enterprise: str, coordination: str, session: str) -> SaleSession:
    sale_session = session_by_id(call.tx, session, enterprise)
    if sale_session.coordination_id != coordination:
        raise NotFound
    return sale_session
