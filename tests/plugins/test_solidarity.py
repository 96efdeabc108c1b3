"""Solidarity: the grants of an order, as far as a budget goes, and what the fund is told."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, event, select, update

from commensal import Adjustment, Conflict, Invalid, Phase
from commensal.base.reading import read_settings
from commensal.enterprises.plugins import check_settings
from commensal.enterprises.tables import customer_in_category
from commensal.instance import Instance
from commensal.orders.emails import mailed_secret
from commensal.orders.place import place_order
from commensal.orders.price import Choices
from commensal.orders.quote import quote_order
from commensal.orders.tables import customer_order
from commensal.orders.values import Identity, Order, Wish
from commensal.parts.order_corrections.reprice import claim_order, total_once_claimed
from commensal.people.codes import fingerprint
from commensal.sale_sessions.tables import sale_session
from commensal.storage.database import Store
from commensal_solidarity import adjustment_names
from commensal_solidarity.settings import Settings as Programmes
from commensal_solidarity.spending import first_day, last_day, year_of
from commensal_solidarity.statement import statement_of
from commensal_solidarity.tables import solidarity_budget, solidarity_entry

from .town import SESSION, Town, open_town

PLUGINS = ("solidarity",)


@pytest.fixture
def town(instance: Instance) -> Town:
    return open_town(instance)


def grants(order: Order) -> list[int]:
    return [-adjustment.amount for adjustment in order.adjustments if adjustment.phase is Phase.SUBSIDY]


# ------------------------------------------------------------------------------------------------ an order


def test_the_fund_pays_its_share_and_the_customer_the_rest(town: Town) -> None:
    order = town.order(apples=2)
    (adjustment,) = order.adjustments
    assert adjustment == Adjustment(
        phase=Phase.SUBSIDY,
        kind="solidarity:ccas",
        label="Payé par CCAS",
        amount=-600,
        payer="CCAS",
        plugin="solidarity",
    )
    assert (order.products_total, order.total) == (2000, 1400)
    assert [share.net + share.vat for share in order.vat] == [2000], "VAT is on the full price"
    assert town.spent() == 600


def test_what_was_granted_goes_back_to_whom_it_was_granted_though_the_order_proves_nothing_of_them(town: Town) -> None:
    """Before orders kept their identity, an order with a typed address could get help when it was changed."""
    order = town.order(apples=2)
    with town.store.write() as tx:
        tx.execute(update(customer_order).where(customer_order.c.id == order.id).values(identity=Identity.TYPED))
    town.cancel(order)
    assert town.spent() == 0
    with town.store.read() as tx:
        rows = tx.all(select(solidarity_entry.c.customer_id, solidarity_entry.c.amount))
    assert [(row["customer_id"], row["amount"]) for row in rows] == [
        (order.customer_id, 600),
        (order.customer_id, -600),
    ]


def test_a_guest_who_claims_the_order_is_granted_help_as_the_page_has_said(town: Town) -> None:
    ada = town.people["ada"]
    wish = Wish(items=town.wanted({"apples": 2}), name="Ada", email="ada@example.org")
    with town.store.write() as tx:
        order = place_order(tx, town.instance.hooks, SESSION, wish, secret="of the browser")
        secret = fingerprint(str(mailed_secret(tx, order.id)))
    with town.store.read() as tx:
        shown = total_once_claimed(tx, town.instance.hooks, order, ada)
    with town.store.write() as tx:
        claimed = claim_order(tx, town.instance.hooks, secret, person_id=ada)
    assert (order.total, shown, claimed.total) == (2000, 1400, 1400)
    assert (grants(claimed), town.spent()) == ([600], 600)


def test_who_is_not_in_the_category_pays_the_full_price(town: Town) -> None:
    assert town.order("eve", apples=2).adjustments == ()
    assert town.spent() == 0


def test_the_last_of_the_budget_is_granted_and_then_nothing(town: Town) -> None:
    town.agree({"budget": 1000})
    assert [grants(town.order(who, apples=2)) for who in ("ada", "bob", "ada")] == [[600], [400], []]
    assert town.spent() == 1000


def test_a_quote_shows_what_is_left_and_an_order_at_another_total_is_refused(town: Town) -> None:
    town.agree({"budget": 1000})
    with town.store.read() as tx:
        quote = quote_order(
            tx,
            town.instance.hooks,
            SESSION,
            town.wanted({"apples": 2}),
            language="en",
            person_id=town.people["ada"],
            chosen=Choices(),
        )
    assert quote.quote.totals.total == 1400
    town.order("bob", apples=2)
    with pytest.raises(Conflict, match=r"The total has changed from 14.00 EUR to 16.00 EUR"):
        town.order("ada", total=quote.quote.totals.total, apples=2)
    assert town.spent() == 600


@pytest.mark.parametrize(
    ("terms", "expected_grants"),
    [
        ({"percent": 0, "amount": 500}, [500]),
        ({"percent": 0, "amount": 500000, "budget": 900000}, [4000]),
        ({"most_per_order": 700}, [700]),
        ({"most_per_customer": 800}, [800]),
        ({"excluded_types": ["alcoholic-beverage"]}, [600]),
        ({"excluded_labels": ["Demeter"]}, [600]),
        ({"excluded_types": ["beer"]}, [1200]),
        ({"valid_from": "2026-06-07"}, []),
        ({"valid_from": "2026-06-06", "valid_to": "2026-06-06"}, [1200]),
        ({"valid_to": "2026-06-05"}, []),
        ({"budget": 0}, []),
        ({"percent": "100", "budget": 5000}, [4000]),
        ({"percent": "33.333"}, [1333]),
    ],
)
def test_what_is_granted_follows_the_terms(town: Town, terms: dict[str, Any], expected_grants: list[int]) -> None:
    """40.00 of goods, of which 20.00 are wine, distributed on 6 June."""
    town.agree({**terms})
    assert grants(town.order(apples=2, wine=2)) == expected_grants
    assert town.spent() == sum(expected_grants)


def test_two_programmes_add_up_to_no_more_than_there_is_to_pay(town: Town) -> None:
    town.agree({"id": "ccas", "percent": "80"}, {"id": "cse", "payer": "CSE", "percent": "50"})
    order = town.order(apples=2)
    assert [(adjustment.payer, adjustment.amount) for adjustment in order.adjustments] == [
        ("CCAS", -1600),
        ("CSE", -400),
    ]
    assert order.total == 0
    assert town.spent() == 2000


def test_a_customers_year_has_a_maximum_of_its_own(town: Town) -> None:
    town.agree({"most_per_customer": 1000})
    assert [grants(town.order("ada", apples=2)) for _ in range(3)] == [[600], [400], []]
    assert grants(town.order("bob", apples=2)) == [600]


# ------------------------------------------------------------------------------------------------ later


def test_a_grant_follows_the_order_up_and_down_and_goes_back_with_it(town: Town) -> None:
    order = town.order(apples=2)
    assert grants(town.change(order, apples=3)) == [900]
    assert grants(town.change(order, apples=1)) == [300]
    assert town.spent() == 300
    town.cancel(order)
    assert town.spent() == 0
    with town.store.read() as tx:
        rows = tx.all(select(solidarity_entry).order_by(solidarity_entry.c.id))
    entries = [(row["kind"], row["amount"]) for row in rows]
    assert entries == [("granted", 600), ("changed", 300), ("changed", -600), ("given back", -300)]
    assert {row["customer_id"] for row in rows} == {town.customers["ada"]}


def test_the_scales_are_never_stopped_by_a_budget_that_is_gone(town: Town) -> None:
    town.agree({"budget": 1000})
    order = town.order(meat=1)
    town.order("bob", apples=2)
    assert town.spent() == 1000
    assert grants(town.weigh(order, "1.200")) == [600], "what it has, and no more"
    assert grants(town.weigh(order, "0.500")) == [300]
    assert grants(town.weigh(order, "0.900")) == [540], "there is something left again"
    assert town.spent() == 940


def test_a_budget_lowered_below_what_is_spent_takes_nothing_back_and_grants_nothing_more(town: Town) -> None:
    order = town.order(apples=2)
    (programme,) = town.agree({"budget": 100})
    assert grants(town.order("bob", apples=2)) == []
    assert grants(town.change(order, apples=3)) == [600]
    assert grants(town.change(order, apples=1)) == [300]
    assert town.spent() == 300
    with town.store.read() as tx:
        year = statement_of(tx, "shop", programme).year
    assert (year.budget, year.spent, year.left) == (100, 300, 0)


def test_a_programme_that_has_left_the_settings_gets_back_what_it_gave(town: Town) -> None:
    order = town.order(apples=2)
    town.agree()
    assert grants(town.change(order, apples=1)) == []
    assert town.spent() == 0


def test_who_has_left_the_category_is_not_helped_any_more(town: Town) -> None:
    order = town.order(apples=2)
    with town.store.write() as tx:
        tx.execute(delete(customer_in_category))
    assert grants(town.weigh(town.change(order, apples=2, meat=1), "1")) == []
    assert town.spent() == 0


def test_an_order_counts_in_the_year_of_its_distribution_and_follows_it_into_another(town: Town) -> None:
    town.agree({"budget": 700, "first_month": 6})
    with town.store.write() as tx:
        tx.execute(update(sale_session).values(begins_at=tx.now - timedelta(days=10)))
    order = town.order(apples=2)
    with town.store.write() as tx:
        assert tx.value(select(solidarity_budget.c.year)) == 2025
        tx.execute(update(sale_session).values(begins_at=tx.now))
    assert grants(town.change(order, apples=1)) == [300]
    with town.store.read() as tx:
        rows = tx.all(select(solidarity_budget).order_by(solidarity_budget.c.year))
        assert [(row["year"], row["spent"]) for row in rows] == [(2025, 0), (2026, 300)]
    assert town.spent() == 300


@pytest.mark.parametrize(
    ("day", "first_month", "year"),
    [
        (date(2026, 1, 1), 1, 2026),
        (date(2026, 12, 31), 1, 2026),
        (date(2027, 5, 31), 9, 2026),
        (date(2026, 9, 1), 9, 2026),
        (date(2026, 8, 31), 9, 2025),
        (date(2027, 11, 30), 12, 2026),
    ],
)
def test_a_year_of_a_fund_begins_with_its_month(day: date, first_month: int, year: int) -> None:
    assert year_of(day, first_month) == year
    assert first_day(year, first_month) <= day <= last_day(year, first_month)
    assert last_day(year, first_month) + timedelta(days=1) == first_day(year + 1, first_month)


# ------------------------------------------------------------------------------------------------ what it costs


def statements(store: Store, action: Any) -> list[str]:
    """Returns the statements that the database gets, without those that begin a transaction."""
    texts: list[str] = []

    def note_statement(*args: object) -> None:
        if not str(args[2]).startswith(("BEGIN", "PRAGMA")):
            texts.append(str(args[2]))

    event.listen(store.engine, "before_cursor_execute", note_statement)
    action()
    event.remove(store.engine, "before_cursor_execute", note_statement)
    return texts


def of_solidarity(texts: list[str]) -> list[str]:
    return [statement for statement in texts if "solidarity" in statement or "SELECT supplied_product" in statement]


def test_helping_costs_three_statements_and_not_helping_none(town: Town) -> None:
    town.agree({"most_per_customer": 1000})
    assert of_solidarity(statements(town.store, lambda: town.order("eve", apples=1))) == []
    for who in ("ada", "bob"):
        texts = statements(town.store, lambda who=who: town.order(who, apples=1))
        assert len(of_solidarity(texts)) == 3
        assert len(texts) <= 15
    town.agree({"excluded_types": ["wine"]})
    assert len(of_solidarity(statements(town.store, lambda: town.order("bob", apples=1)))) == 4


# ------------------------------------------------------------------------------------------------ settings


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"amount": 5}, "programmes[1]: percent: give either a percentage or an amount."),
        ({"percent": 0}, "programmes[1]: percent: give either a percentage or an amount."),
        ({"percent": 101}, "programmes[1]: percent: a percentage must be between 0 and 100."),
        ({"payer": "Customer"}, "programmes[1]: payer: name who pays instead of the customer."),
        ({"budget": -1}, "programmes[1].budget: expected `int` >= 0."),
        ({"buget": 1}, "programmes[1].buget is unknown; did you mean 'budget'?"),
        ({"first_month": 13}, "programmes[1].first_month: expected `int` <= 12."),
        ({"id": "C C"}, "programmes[1].id: expected `str` matching regex '^[a-z0-9-]{1,40}$'."),
        ({"excluded_types": ["wyne"]}, "programmes[1]: excluded_types: 'wyne' is not a DFC product type."),
        ({"excluded_labels": ["bio"]}, "programmes[1]: excluded_labels: 'bio' is not a DFC label."),
        ({"valid_from": "2026-02-01", "valid_to": "2026-01-01"}, "programmes[1]: valid_to: it ends before it begins."),
    ],
)
def test_wrong_terms_are_named(terms: dict[str, Any], message: str) -> None:
    valid = {"id": "a", "payer": "CCAS", "category": "x", "percent": "30", "budget": 3000}
    with pytest.raises(Invalid) as refused:
        check_settings(Programmes, {"programmes": [valid, {**valid, "id": "b", **terms}]})
    (problem,) = refused.value.problems
    assert (problem.where, str(problem.values["what"])) == ("/settings/programmes/1", message)


def test_a_programme_is_there_once() -> None:
    valid = {"id": "a", "payer": "CCAS", "category": "x", "percent": "30", "budget": 3000}
    with pytest.raises(Invalid, match="'a' is there twice"):
        check_settings(Programmes, {"programmes": [valid, valid]})


def test_the_help_of_a_programme_has_one_name_in_reports_whatever_customers_read() -> None:
    fund = {"id": "a", "payer": "CCAS", "category": "a", "budget": 5000, "percent": 50}
    names = adjustment_names(language="fr", settings=read_settings(Programmes, {"programmes": [fund]}))
    assert names["Paid by CCAS"] == names["Payé par CCAS"] == "Payé par CCAS"
