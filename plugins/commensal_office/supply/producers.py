"""Producers of a hub: who lets it sell what, in words; local ones made here; a whole range taken into the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TypedDict

from starlette.responses import Response

from commensal import (
    Enterprise,
    Invalid,
    NotFound,
    Problem,
    Refused,
    Transaction,
    enabled_plugins,
    enterprise_by_id,
    enterprises_by_id,
    list_enterprises,
    mail_enterprise,
    read_decimal,
    read_whole,
)
from commensal.catalogs import RangeSize, catalogs_of, count_ranges, first_catalog
from commensal.enterprises import (
    create_enterprise,
    find_enterprise,
    grant,
    grants_of,
    grants_received,
    held_at,
    may_make_producers,
    revoke,
)
from commensal.pages import NO_MISTAKES, Mistakes, Visit, mistakes, status_of
from commensal.parts.membership import demand_producer_founder, hand_over, invite, keeper_at, owned_alone
from commensal.parts.supply import RangeLine, list_range, ordered_by_plugins, plan_range

from ..added import links_of_plugins
from ..frame.desk import Desk, open_desk
from ..frame.fields import chosen_language
from ..frame.render import show

_FIELDS = ("name", "city", "email", "email_shown")
_SELLS = ("ReadProducts", "WriteOrders")  # what a producer grants to a hub that sells its goods
_KEEPS = "WriteProducts"  # what it grants to a hub that keeps its list, too
_MOST_MATCHES = 20  # enterprises that a search shows


@dataclass(frozen=True, kw_only=True)
class GrantingProducer:
    """An enterprise that lets the hub do something. `goods` are those that the hub may sell."""

    enterprise: Enterprise
    scopes: frozenset[str]
    goods: RangeSize


def producers_page(
    visit: Visit, typed: dict[str, str] | None = None, errors: Mistakes = NO_MISTAKES, status: int = 200
) -> Response:
    words = visit.query.get("q", "").strip()[:100]
    with visit.read() as tx:
        desk = open_desk(tx, visit, "grants:read")
        producers = _producers(tx, desk)
        links = links_of_plugins(visit, "producers", desk.address, enabled_plugins(tx, desk.enterprise.id))
        known = {producer.enterprise.id for producer in producers} | {desk.enterprise.id}
        may_make = may_make_producers(
            tx, visit.actor, desk.enterprise.id, visit.instance.settings.security.new_enterprises
        )
        matches = list_enterprises(tx, search=words, kind="producer", limit=_MOST_MATCHES) if words else ()
    return show(
        visit,
        desk,
        "producers",
        at="producers",
        status=status,
        producers=producers,
        words=words,
        matches=[match for match in matches if match.id not in known],
        typed=typed or dict.fromkeys(_FIELDS, ""),
        language_chosen=chosen_language(visit, desk.enterprise.language),
        may_make=may_make,
        may_ask=desk.may("grants:write"),
        mistakes=errors,
        done=visit.query.get("done", ""),
        links=links,
    )


def _producers(tx: Transaction, desk: Desk) -> list[GrantingProducer]:
    granted: dict[str, set[str]] = {}
    for received in grants_received(tx, desk.enterprise.id):
        granted.setdefault(received.grantor_id, set()).add(received.scope)
    enterprises, ranges = enterprises_by_id(tx, granted), count_ranges(tx, desk.enterprise.id)
    producers = [
        GrantingProducer(
            enterprise=enterprises[id], scopes=frozenset(scopes), goods=ranges.get(id, RangeSize(products=0, listed=0))
        )
        for id, scopes in granted.items()
    ]
    return sorted(producers, key=lambda producer: producer.enterprise.name)


def post_producers(visit: Visit) -> Response:
    """Makes a producer here, who lets the hub sell and keep its goods, and invites its people if they have an e-mail
    address; or asks one that is here already."""
    typed = {name: visit.form.get(name, "").strip() for name in _FIELDS}
    asks = visit.query.get("then") == "ask"
    try:
        with visit.write() as tx:
            desk = open_desk(tx, visit, "grants:write")
            address = _ask(tx, visit, desk) if asks else _make(tx, visit, desk, typed)
    except NotFound:
        raise
    except Refused as error:
        return producers_page(visit, typed, mistakes(visit, error, _FIELDS.__contains__), status_of(error))
    return visit.redirect(address)


def _make(tx: Transaction, visit: Visit, desk: Desk, typed: dict[str, str]) -> str:
    hub = desk.enterprise
    rule = visit.instance.settings.security.new_enterprises
    owner_id = demand_producer_founder(tx, visit.actor, hub.id, rule)
    producer = create_enterprise(
        tx,
        owner_id=owner_id,
        kept_by=keeper_at(tx, hub.id),
        currency=hub.currency,
        timezone=hub.timezone,
        language=chosen_language(visit, hub.language),
        country=hub.country,
        name=typed["name"],
        city=typed["city"],
        is_producer=True,
        email=typed["email"] if typed["email_shown"] else "",  # often what they log in with
        visibility="public",
        prices_include_vat=hub.prices_include_vat,
    )
    for scope in (*_SELLS, _KEEPS):
        grant(tx, producer.id, hub.id, scope, by=owner_id)
    grant(tx, hub.id, producer.id, "ReadOrders", by=owner_id)
    if typed["email"]:
        invite(
            tx,
            producer.id,
            email=typed["email"],
            role="owner",
            language=producer.language,
            invited_by=hub.name,
            person_id=owner_id,
        )
    return f"{desk.address}/producers/{producer.id}?done=made"


def _ask(tx: Transaction, visit: Visit, desk: Desk) -> str:
    """Mails a producer of the directory, with a link to the page on which it lets the hub sell."""
    producer = find_enterprise(tx, visit.form.get("producer", ""))
    url = visit.address(f"/office/{producer.id}/hubs?hub={desk.enterprise.slug}")
    values = {"hub": desk.enterprise.name, "city": desk.enterprise.city, "url": url}
    mail_enterprise(tx, producer.id, "office_asks_to_sell", values, caused_by=desk.enterprise.id)
    return f"{desk.address}/producers?done=asked"


# ------------------------------------------------------------------------------------------------ one producer


def producer_page(visit: Visit) -> Response:
    if visit.path["supplier"] == visit.path["enterprise"]:  # its own goods
        with visit.read() as tx:
            return visit.redirect(f"{open_desk(tx, visit, 'grants:read').address}/products")
    return _producer_page(visit)


def _producer_page(visit: Visit, errors: Mistakes = NO_MISTAKES, status: int = 200) -> Response:
    typed = {name: visit.form.get(name) or visit.query.get(name, "") for name in ("margin", "step")}
    lines: Sequence[RangeLine] = ()
    with visit.read() as tx:
        desk, producer, scopes = _of_path(tx, visit)
        grants = grants_of(tx, desk.enterprise.id, producer.id)
        sells = scopes.issuperset(_SELLS)
        is_elsewhere = bool(ordered_by_plugins(tx, visit.instance.hooks, desk.enterprise.id, [producer.id]))
        links = links_of_plugins(visit, "producers", desk.address, enabled_plugins(tx, desk.enterprise.id))
        may_list = sells and desk.may("catalogs:write")
        if typed["margin"] and may_list and not (errors or is_elsewhere):
            try:
                lines = plan_range(tx, desk.enterprise.id, _catalog_id(tx, desk), producer.id, **_rule(typed))
            except Refused as error:
                errors, status = mistakes(visit, error, typed.__contains__), status_of(error)
        mine = "enterprise:write" in held_at(tx, visit.actor, producer.id)
        handing = producer.id in {each.id for each in owned_alone(tx, visit.actor.person_id or "", desk.enterprise.id)}
        goods = count_ranges(tx, desk.enterprise.id).get(producer.id, RangeSize(products=0, listed=0))
    return show(
        visit,
        desk,
        "producer",
        at="producers",
        status=status,
        producer=producer,
        scopes=scopes,
        given=grants,
        goods=goods,
        sells=sells,
        is_elsewhere=is_elsewhere,
        links=links,
        lines=lines,
        new=sum(line.is_new for line in lines),
        mistakes=errors,
        typed={**typed, "margin": typed["margin"] or "20", "step": typed["step"] or "5"},
        is_mine=mine,
        hands_over=handing,
        confirming=visit.query.get("ask", ""),
        done=visit.query.get("done", ""),
    )


def _of_path(tx: Transaction, visit: Visit, scope: str = "grants:read") -> tuple[Desk, Enterprise, frozenset[str]]:
    """The producer of the path, with what it lets the hub do. Raises `NotFound` for one that lets it do nothing."""
    desk = open_desk(tx, visit, scope)
    scopes = grants_of(tx, visit.path["supplier"], desk.enterprise.id)
    if not scopes or visit.path["supplier"] == desk.enterprise.id:
        raise NotFound
    return desk, enterprise_by_id(tx, visit.path["supplier"]), scopes


def post_producer(visit: Visit) -> Response:
    """Lists the range that was shown; says what the producer sees; or stops selling its goods."""
    actions = {"list": _list, "sees": _sees, "stop": _stop, "hand-over": _hand_over}
    action = actions.get(visit.query.get("then", ""))
    if action is None:
        with visit.read() as tx:
            _of_path(tx, visit)  # first who asks, then what for
        raise NotFound
    try:
        with visit.write() as tx:
            address = action(tx, visit)
    except NotFound:
        raise
    except Refused as error:
        return _producer_page(visit, mistakes(visit, error, {"margin", "step"}.__contains__), status_of(error))
    return visit.redirect(address)


def _list(tx: Transaction, visit: Visit) -> str:
    desk, producer, _ = _of_path(tx, visit, "catalogs:write")
    new = list_range(tx, desk.enterprise.id, first_catalog(tx, desk.enterprise.id).id, producer.id, **_rule(visit.form))
    return f"{desk.address}/producers/{producer.id}?done=listed&count={len(new)}"


def _hand_over(tx: Transaction, visit: Visit) -> str:
    desk, producer, _ = _of_path(tx, visit)
    hand_over(tx, producer.id, desk.enterprise.id, by=visit.actor.person_id or "")
    return f"{desk.address}/producers/{producer.id}?done=handed-over"


def _sees(tx: Transaction, visit: Visit) -> str:
    desk, producer, _ = _of_path(tx, visit, "grants:write")
    has, wants = "ReadOrders" in grants_of(tx, desk.enterprise.id, producer.id), "ReadOrders" in visit.form
    if wants and not has:
        grant(tx, desk.enterprise.id, producer.id, "ReadOrders", by=visit.actor.person_id)
    if has and not wants:
        revoke(tx, desk.enterprise.id, producer.id, "ReadOrders")
    return f"{desk.address}/producers/{producer.id}?done=saved"


def _stop(tx: Transaction, visit: Visit) -> str:
    """Gives back everything that the producer lets the hub do."""
    desk, producer, _ = _of_path(tx, visit, "grants:write")
    for received in grants_received(tx, desk.enterprise.id):
        if received.grantor_id == producer.id:
            revoke(tx, producer.id, desk.enterprise.id, received.scope)
    return f"{desk.address}/producers?done=stopped"


def _catalog_id(tx: Transaction, desk: Desk) -> str | None:
    """The id of the enterprise's first catalogue, which `_list` makes if there is none yet."""
    catalogs = catalogs_of(tx, desk.enterprise.id, limit=1)
    return catalogs[0].id if catalogs else None


class _Rule(TypedDict):
    margin: Decimal
    step: int


def _rule(typed: Mapping[str, str]) -> _Rule:
    """Margin in percent and step in minor units, as they were typed. Raises `Invalid`."""
    try:
        margin = read_decimal(typed.get("margin", "").strip().replace(",", "."))
    except InvalidOperation:
        raise Invalid([Problem("margin", "Give a percentage, like 20.", "/margin")]) from None
    return {"margin": margin, "step": read_whole(typed.get("step", ""), 3) or 0}
