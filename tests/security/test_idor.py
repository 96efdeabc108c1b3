"""Nobody reaches what belongs to another: every possible asker tries every route with an id in its path.

The routes are the application's own, so a new one is tried as soon as it answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from commensal.api import handler
from commensal.enterprises.access import demand
from commensal.enterprises.tokens import make_token
from commensal.orders.questions import order_by_id
from commensal.orders.tables import customer_order
from commensal.parts.endpoints import orders
from commensal.people.actor import SELF
from commensal.people.sessions import begin_session
from commensal_office.frame import desk
from commensal_transport.costs import alone

from .amounts import ADDRESS, MARK, mark_addresses, mark_amounts, packer_of, reported, told
from .bringing import bring_goods, sell_for_the_farm
from .filling import MEMBERS, WORDS, AppRoute, Unfilled, fill
from .settled import PRIVATE, PUBLIC
from .trespass import OPEN, PAGE_FIELDS, ROW_FIELDS, Asker, Attempt, Village, trespasses

pytestmark = [pytest.mark.bundled, pytest.mark.long]  # hundreds of requests for each asker

BOTH = pytest.mark.databases("sqlite", "postgresql")
ASKERS = ("anonymous", "owner", "token", "platform", "shopper", "operator")
STRANGERS = (
    "anonymous",
    "owner",
    "shopper",
)  # a token and a platform may no more than those; operators see what is hidden


@pytest.mark.parametrize("who", ASKERS)
def test_nobody_gets_what_is_anothers(village: Village, who: str) -> None:
    assert trespasses(village, village.askers[who]) == []


@pytest.mark.databases("postgresql")
def test_nobody_gets_what_is_anothers_from_a_server(village: Village) -> None:
    assert trespasses(village, village.askers["owner"]) == []


@pytest.mark.parametrize("who", STRANGERS)
def test_of_a_hidden_enterprise_nobody_learns_a_word(hidden_village: Village, who: str) -> None:
    assert trespasses(hidden_village, hidden_village.askers[who]) == []


@BOTH
def test_every_report_in_every_format_stays_within_its_enterprise(village: Village) -> None:
    """This holds also for a request with a sale of another enterprise."""
    headers = village.askers["token"].headers
    reports_url = f"/api/enterprises/{village.other.id}/reports"
    count = 0
    for report in village.client.get(reports_url, headers=headers).json():
        foreign = {
            parameter["name"]: village.victim.shop.session_id
            for parameter in report["parameters"]
            if parameter["kind"] == "sale"
        }
        for name in report["formats"]:
            path = f"{reports_url}/{report['id'].replace(':', '/')}"
            own_report = village.client.get(path, params={"format": name}, headers=headers)
            assert own_report.status_code == 200, own_report.text
            report_with_filter = village.client.get(path, params={"format": name, **foreign}, headers=headers)
            assert report_with_filter.status_code == (422 if foreign else 200), report_with_filter.text
            for answer in (own_report, report_with_filter):
                assert PRIVATE.encode() not in answer.content
                assert PUBLIC.encode() not in answer.content
            count += 1
    assert count > 50


# ------------------------------------------------------------------------------------------------ is it a test?


def _owner(village: Village) -> Asker:
    headers = {"Cookie": f"session={village.victim.owner_session}"}
    return Asker(name="its owner", headers=headers, settled=village.victim)


# The settled enterprise brings nothing to a closed sale, and its load has no photograph: tests of transport have both.
NOTHING_TO_SHOW = {
    "GET /api/-/transport/enterprises/{enterprise}/quotes",
    "GET /office/{enterprise}/transport/loads/{booking}/photos/{digest}",
    "GET /office/{enterprise}/pack/progress.json",  # numbers of crates, without a word
    "GET /office/{enterprise}/bring/paid/{session}",  # nobody owes themself anything
    "GET /office/{enterprise}/bring/paid/{session}/statement.csv",
}


@BOTH
def test_what_is_tried_is_there_and_its_owner_sees_the_marks(village: Village) -> None:
    """What is refused to others is answered to the owner or the buyer, so the ids are real."""
    owner, answers_with_marks = _owner(village), 0
    buyer = Asker(name="the buyer", headers={"Cookie": f"session={village.victim.shopper_session}"})
    for route in (route for route in village.routes if route.safe and route.parameters):
        if route.scope in ("public", "operator") or str(route) in OPEN or route.path.startswith("/api/-/federation/"):
            continue
        with village.instance.store.read() as tx:
            attempt = Attempt(route, fill(tx, route, village.victim))
        answers = [village.ask(asker, attempt) for asker in (owner, buyer)]
        statuses = {answer.status_code for answer in answers}
        leads_on = route.scope == MEMBERS and 303 in statuses
        assert 200 in statuses or leads_on or str(route) in NOTHING_TO_SHOW, (str(route), answers[0].text)
        answers_with_marks += any(PRIVATE in answer.text or PUBLIC in answer.text for answer in answers)
    assert answers_with_marks > 35


def test_a_route_with_a_parameter_that_nobody_can_fill_is_found(village: Village) -> None:
    with village.instance.store.read() as tx, pytest.raises(Unfilled, match="mystery"):
        fill(tx, AppRoute("GET", "/api/enterprises/{enterprise}/mysteries/{mystery}"), village.victim)


def test_words_that_are_nobodys_name_nothing_of_an_enterprise(village: Village) -> None:
    """Otherwise a parameter would be left out of the attempts."""
    with village.instance.store.read() as tx:
        rows = tx.all(select(customer_order.c.id))
    assert not {row["id"] for row in rows} & set(WORDS.values())


@pytest.mark.parametrize("name", ["customer", "pickup_closures", "change_pickup_slot"])
def test_a_route_without_its_check_of_access_is_found(
    village: Village, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (route,) = [route for route in village.routes if route.endpoint and route.endpoint.name == name]
    assert trespasses(village, village.askers["token"], [route]) == []
    monkeypatch.setattr(handler, "demand", _letting_through(route))
    violations = trespasses(village, village.askers["token"], [route])
    assert any(str(route) in finding for finding in violations), violations


@pytest.mark.parametrize("page", ["/office/{enterprise}/orders/{order}", "/office/{enterprise}/money"])
def test_a_page_of_members_without_its_check_of_access_is_found(
    village: Village, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    pages = [route for route in village.routes if str(route) == f"GET {page}"]
    assert trespasses(village, village.askers["owner"], pages) == []
    monkeypatch.setattr(desk, "demand", lambda tx, actor, scope, enterprise_id=None: None)
    violations = trespasses(village, village.askers["owner"], pages)
    assert any(page in finding for finding in violations), violations


def _letting_through(route: AppRoute) -> Callable[..., None]:
    """Returns a check of access for every route except this one."""
    assert route.endpoint is not None

    def demand_elsewhere(tx: Any, actor: Any, scope: str, enterprise: str | None = None) -> None:
        assert route.endpoint is not None
        if scope != route.endpoint.scope:
            demand(tx, actor, scope, enterprise)

    return demand_elsewhere


@BOTH
def test_a_lookup_that_forgets_whose_it_is_is_found(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    (route,) = [route for route in village.routes if str(route) == "GET /api/enterprises/{enterprise}/orders/{order}"]
    monkeypatch.setattr(orders, "order_by_id", lambda tx, id, **_: order_by_id(tx, id, enterprise_id=village.victim.id))
    violations = trespasses(village, village.askers["owner"], [route])
    assert any("with another's order: told" in finding for finding in violations), violations


# ------------------------------------------------------------------------------------------------ within one enterprise


def test_the_walk_fills_in_each_field_that_a_page_sends_by_its_address() -> None:
    """A page that shows amounts only after such a form was sent was not seen by the walk below."""
    fields = set()
    for template in (Path(__file__).parents[2] / "plugins").glob("commensal_*/templates/[!s]*/*.html"):
        for form in re.findall(r'<form[^>]*method="get".*?</form>', template.read_text(encoding="utf-8"), re.DOTALL):
            fields |= {name or other for name, other in re.findall(r' name="(\w+)"|parts\.field\("(\w+)"', form)}
    assert fields <= PAGE_FIELDS.keys() | ROW_FIELDS
    assert fields >= PAGE_FIELDS.keys()


def test_packers_read_no_amounts(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hall learns what to pack, and not who pays how much. Without the check it would learn both."""
    bring_goods(village.instance, village.clock, village.victim.id)
    marked = mark_amounts(village.instance.store)
    monkeypatch.setattr(alone, "cost", lambda *_: MARK)  # of a drive, which no column keeps
    assert "adjustment.payer" in marked
    assert {"customer_order.total", "order_line.price", "payment.amount", "purchase_order_line.price"} <= marked
    assert {"federation_grant.margin", "federation_link.margin", "transport_booking.cap"} <= marked
    with village.instance.store.write() as tx:
        farm = sell_for_the_farm(tx, village.victim.id, MARK)
    packer, routes = packer_of(village), [route for route in village.routes if route.parameters]
    assert [*told(village, packer, routes, supplier=farm), *reported(village, packer)] == []
    monkeypatch.setattr(handler, "sees_amounts", lambda *_: True)
    assert len(list(told(village, packer, [route for route in routes if "order" in route.path]))) > 5


# What a token with the scope `self` does for its person; everything else of theirs needs a log-in: how they log in, and
# what they belong to.
BY_TOKEN = {
    "DELETE /api/me/household-invitations/{invitation}": "declining gives no rights",
    "DELETE /api/me/households/{customer}/invitations/{invitation}": "taking an invitation back gives none",
    "DELETE /api/me/invitations/{invitation}": "declining gives no rights",
    "PATCH /api/me": "a name, a telephone number, a language",
    "PATCH /api/me/orders/{order}": "shopping",
    "POST /api/-/federation/moves/{move}/accept": "for whom an operator has named",
    "POST /api/enterprises": "a new enterprise, of which nobody is a member yet",
    "POST /api/me/confirmation": "with the secret of the mail",
    "POST /api/me/confirmation-mail": "to one's own address",
    "POST /api/me/orders/{order}/cancel": "shopping",
    "POST /api/me/orders/{order}/payments": "shopping",
    "PUT /api/me/orders/{order}/consents": "shopping",
    "PUT /api/me/sale-sessions/{session}/cart": "shopping",
}


def test_a_token_ends_no_session_of_its_owner_and_leaves_nothing_in_their_name(village: Village) -> None:
    with village.instance.store.write() as tx:
        token = make_token(tx, village.victim.owner.id, name="till", scopes=["self"]).secret
        sessions = {begin_session(tx, village.victim.owner).secret, begin_session(tx, village.victim.owner).secret}
    asker = Asker(name="own token", headers={"Authorization": f"Bearer {token}"}, by_own_token=True)
    routes = [route for route in village.routes if route.scope == SELF and not route.safe]
    answers = {}
    for route in routes:
        if str(route) not in BY_TOKEN:
            with village.instance.store.read() as tx:
                answers[str(route)] = village.ask(asker, Attempt(route, fill(tx, route, village.victim))).status_code
    assert {route: status for route, status in answers.items() if status != 403} == {}
    assert len(answers) > 12
    assert {str(route) for route in routes} >= BY_TOKEN.keys()
    for secret in sessions:
        cookie = {"Cookie": f"session={secret}"}
        assert village.client.get("/api/me", headers=cookie).status_code == 200


def test_packers_read_no_addresses_of_customers(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who packs needs a name and a telephone number; who reads the customers has their addresses, too."""
    packer = packer_of(village, "another-packer@example.org")
    assert mark_addresses(village.instance.store) > 3
    routes = [route for route in village.routes if route.parameters]
    assert [*told(village, packer, routes, mark=ADDRESS), *reported(village, packer, mark=ADDRESS)] == []
    monkeypatch.setattr(handler, "sees_addresses", lambda *_: True)
    orders_read = [route for route in routes if route.scope == "orders:read" and "order" in route.path]
    assert len(list(told(village, packer, orders_read, mark=ADDRESS))) >= 3
