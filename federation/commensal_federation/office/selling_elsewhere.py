"""Sell at hubs elsewhere: a producer's people tick hubs of other sites, propose sales to them, and take both back."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from starlette.responses import Response

from commensal import (
    Conflict,
    Enterprise,
    Invalid,
    NotFound,
    Problem,
    Refused,
    Screen,
    Transaction,
    demand,
    list_categories,
    read_moment,
    read_whole,
)
from commensal.pages import Visit, day_field, on_refusal, with_mistakes

from ..catalogue.grants import end_grant
from ..catalogue.hubs import PeerHub, fetch_hubs, give_grants, grant_state, peer_to_ask, trading_peers
from ..grants.questions import grant_by_id, grants_between
from ..leases.row import leases
from ..messages.catalogue import Grant
from ..messages.leases import Lease
from ..messages.proposals import ProposedSale
from ..moving.recovering import has_recovery_key
from ..proposals.proposing import propose_sale, withdraw_sale
from ..proposals.receiving import proposal_of, proposals_of
from ..runtime import federation_of
from .allowances import FIELDS as ALLOWANCE
from .allowances import budgets_of, save_allowance, typed_allowance
from .effects import orders_between

PATH = "hubs/elsewhere"
_HUB = "hub "  # before the address of a hub, in the names of fields
_FIELDS = ("category", "share", "until")
_MOMENTS = ("opens_at", "closes_at", "begins_at", "ends_at")
_SALE = ("sale_name", *_MOMENTS, "change")  # `change`: the id of a proposal that gets these values


def selling_page(visit: Visit, producer: Enterprise) -> Screen:
    peer_id = visit.form.get("peer", "") or visit.query.get("peer", "")
    with visit.read() as tx:
        peers = trading_peers(tx)
        grants = grants_between(tx, enterprise_id=producer.id, direction="given")
        categories = list_categories(tx, producer.id)
        proposals = [sale for sale in proposals_of(tx, producer.id) if sale.direction == "proposed"]
        held = [lease for lease in leases(tx, enterprise_id=producer.id) if lease.role == "lender" and lease.out]
        has_key = has_recovery_key(federation_of(visit.instance), tx, producer.id)
        changed = proposal_of(tx, producer.id, visit.query["change"]) if visit.query.get("change") else None
        budgets = budgets_of(visit, tx, producer.id, [grant.other_iri for grant in grants if grant.state == "accepted"])
        allowance = typed_allowance(visit, tx, producer)
    hubs, problem = _hubs_of(visit, producer, peer_id) if peer_id else ([], None)
    if problem is not None:
        visit = with_mistakes(visit, problem, ())
    context = {
        "producer": producer,
        "peers": peers,
        "grants": grants,
        "budgets": budgets,
        "allowance": allowance,
        "categories": categories,
        "proposals": proposals,
        "held": held,
        "hubs": hubs,
        "chosen_peer": peer_id,
        "mistakes": visit.mistakes,
        "done": visit.query.get("done", ""),
        "typed": {name: visit.form.get(name, "") for name in (*_FIELDS, "resell")},
        "here": _address(producer),
        "lacks_key": not has_key and any(grant.state in ("offered", "accepted") for grant in grants),
        "peer_names": {peer.id: peer.name for peer in peers},
        "sale": _typed_sale(visit, producer, changed),
    }
    return Screen(template="federation/selling.html", context=context, status=visit.status)


def _typed_sale(visit: Visit, producer: Enterprise, changed: ProposedSale | None) -> dict[str, str]:
    """The fields of the form that proposes a sale: as typed, else those of the proposal to change."""
    if any(name in visit.form for name in _SALE) or changed is None:
        return {name: visit.form.get(name, "") for name in _SALE}
    zone = producer.zone
    moments = {name: getattr(changed, name).astimezone(zone).strftime("%Y-%m-%dT%H:%M") for name in _MOMENTS}
    return {"sale_name": changed.name, "change": changed.id, **moments}


def _hubs_of(visit: Visit, producer: Enterprise, peer_id: str) -> tuple[list[tuple[PeerHub, str]], Refused | None]:
    """The public hubs of a peer, asked of it now, each with the state of the grant to it."""
    try:
        with visit.read() as tx:
            peer = peer_to_ask(tx, peer_id)
        hubs = fetch_hubs(federation_of(visit.instance), peer)
    except NotFound:
        raise
    except Refused as error:
        return [], error
    with visit.read() as tx:
        return [(hub, grant_state(tx, producer.id, hub)) for hub in hubs], None


@on_refusal(selling_page, {*_FIELDS, *_SALE, *ALLOWANCE})
def post_selling(visit: Visit, producer: Enterprise) -> Screen | Response:
    """Offers goods to the hubs that are ticked, proposes a sale, or takes a permission or a proposed sale back."""
    action = visit.query.get("then", "")
    if action == "end" and visit.form.get("sure") != "1":
        return _ending_page(visit, producer)
    if action == "offer":
        _offer(visit, producer)
    elif action == "propose":
        _propose(visit, producer)
    else:
        with visit.write() as tx:
            save_allowance(visit, tx, producer) if action == "allowance" else _take_back(visit, tx, producer, action)
    return visit.redirect(f"{_address(producer)}?done={action}")


def _offer(visit: Visit, producer: Enterprise) -> None:
    """Offers to the hubs that are ticked, whose names are those that their own site shows now."""
    form, federation = visit.form, federation_of(visit.instance)
    with visit.read() as tx:
        demand(tx, visit.actor, "grants:write", producer.id)
        peer = peer_to_ask(tx, form.get("peer", ""))
    ticked = {name.removeprefix(_HUB) for name in form if name.startswith(_HUB)}
    if not ticked:
        raise Conflict("no_hubs_ticked", "Tick at least one hub.")
    hubs = [hub for hub in fetch_hubs(federation, peer) if hub.iri in ticked]
    if len(hubs) < len(ticked):
        raise Conflict("hub_gone", "One of the hubs is not shown by its site any more: look at the list again.")
    share, ends_at = _read_share(form.get("share", "")), _read_end(form.get("until", ""), producer.timezone)
    with visit.write() as tx:
        demand(tx, visit.actor, "grants:write", producer.id)
        give_grants(
            federation,
            tx,
            producer.id,
            peer.id,
            hubs,
            category_id=form.get("category") or None,
            resell="resell" in form,
            lot_share=share,
            ends_at=ends_at,
            by=visit.actor.person_id,
        )


def _propose(visit: Visit, producer: Enterprise) -> None:
    """Proposes a sale to every hub elsewhere that sells the producer's goods, or changes a proposed one.

    Raises `Invalid` with every mistake of the form, `Conflict` for impossible times and without such a hub.
    """
    form, problems = visit.form, list[Problem]()
    name, moments = form.get("sale_name", "").strip(), dict[str, datetime]()
    if not name:
        problems.append(Problem("name", "Give the sale a name.", "/sale_name"))
    for field in _MOMENTS:
        try:
            moments[field] = read_moment(form.get(field, "")).replace(tzinfo=producer.zone)
        except ValueError:
            problems.append(Problem("moment", "Give a day and a time, like 2026-06-04 18:00.", f"/{field}"))
    if problems:
        raise Invalid(problems)
    with visit.write() as tx:
        demand(tx, visit.actor, "sales:write", producer.id)
        changed = proposal_of(tx, producer.id, form["change"]).iri if form.get("change") else None
        federation = federation_of(visit.instance)
        if not propose_sale(federation, tx, producer.id, name=name[:200], sale=changed, **moments):
            raise Conflict("no_hub_elsewhere", "No hub elsewhere sells your goods yet: offer them first.")


def _read_share(text: str) -> int | None:
    """Percent of a lot; None: nothing was typed. Raises `Invalid`."""
    text = text.strip().removesuffix("%").strip()
    if not text:
        return None
    share = read_whole(text, 3)
    if share is None or not 1 <= share <= 100:
        raise Invalid([Problem("lot_share", "A share of a lot is 1 to 100 percent.", "/share")])
    return share


def _read_end(text: str, timezone: str) -> datetime | None:
    """The end of the day that was typed, by the clocks of the producer; None: nothing was typed. Raises `Invalid`."""
    if not text.strip():
        return None
    day = day_field({"until": text}, "until")
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=ZoneInfo(timezone))


def _take_back(visit: Visit, tx: Transaction, producer: Enterprise, action: str) -> None:
    federation = federation_of(visit.instance)
    if action == "end":
        demand(tx, visit.actor, "grants:write", producer.id)
        end_grant(federation, tx, _given(tx, visit, producer).id)
    elif action == "withdraw":
        demand(tx, visit.actor, "sales:write", producer.id)
        sale = proposal_of(tx, producer.id, visit.form.get("proposal", ""))
        withdraw_sale(federation, tx, producer.id, sale.iri)
    else:
        raise NotFound


def _given(tx: Transaction, visit: Visit, producer: Enterprise) -> Grant:
    return grant_by_id(tx, visit.form.get("grant", ""), direction="given", enterprise_id=producer.id)


def _ending_page(visit: Visit, producer: Enterprise) -> Screen:
    """Shows whom it concerns before a permission is taken back."""
    with visit.read() as tx:
        demand(tx, visit.actor, "grants:write", producer.id)
        grant = _given(tx, visit, producer)
        orders = orders_between(tx, producer.id, grant.other_iri)
        held: list[Lease] = [
            lease
            for lease in leases(tx, enterprise_id=producer.id)
            if lease.role == "lender" and lease.peer_id == grant.peer_id and lease.out
        ]
    context = {"grant": grant, "orders": orders, "held": held, "here": _address(producer), "is_given": True}
    return Screen(template="federation/grant_ending.html", context=context)


def _address(producer: Enterprise) -> str:
    return f"/office/{producer.id}/{PATH}"
