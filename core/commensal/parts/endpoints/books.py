"""The treasurer's week over the API: the till, what suppliers are paid, and the books of a sale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec

from ...api.endpoint import Body, Call, Routes
from ...base.errors import Conflict
from ...enterprises.enterprises import enterprise_by_id
from ...orders.lock import locked_order
from ...orders.sale_context import refuse_foreign_session
from ..approvals.proposing import needs_second_person
from ..supply.books import BooksEntry, Figures, close_books, figures_of, history_of_books, open_books
from ..supply.supplier_accounts import (
    StatementLine,
    SupplierAccount,
    SupplierPayment,
    account_of,
    pay_supplier,
    payments_to,
    statement_lines,
    supplier_accounts,
)
from ..till.till import Till, TillCount, count_till, take_back_count, till_counts, till_of
from ..till.unpaid_guests import remind_to_pay

routes = Routes("books")

Minor = Annotated[int, msgspec.Meta(ge=0, le=10**12, description="minor units")]
SignedMinor = Annotated[int, msgspec.Meta(ge=-(10**12), le=10**12, description="minor units")]
Method = Annotated[str, msgspec.Meta(min_length=3, max_length=81, description='"plugin:method"')]


class TillQuery(Body, frozen=True, kw_only=True):
    method: Method = "cash:cash"


class NewCount(Body, frozen=True, kw_only=True):
    """`counted` lay in the till, `float_after` stays there; `expected` is what the till said, `reason` explains a
    difference."""

    method: Method = "cash:cash"
    counted: Minor
    float_after: Minor
    expected: SignedMinor
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class TakingBack(Body, frozen=True, kw_only=True):
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class NewSupplierPayment(Body, frozen=True, kw_only=True):
    """`left` is what the account said was still to be paid; a negative `amount` takes a mistake back."""

    amount: SignedMinor
    left: SignedMinor
    reference: Annotated[str, msgspec.Meta(max_length=200)] = ""


class Closing(Body, frozen=True, kw_only=True):
    """`anyway`: although orders wait for their customers."""

    anyway: bool = False


class Reopening(Body, frozen=True, kw_only=True):
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


@dataclass(frozen=True, kw_only=True)
class Books:
    """`history` tells when they were closed and opened again; they are closed if its last entry says so."""

    figures: Figures
    history: Sequence[BooksEntry]


@dataclass(frozen=True, kw_only=True)
class Statement:
    account: SupplierAccount
    lines: Sequence[StatementLine]
    payments: Sequence[SupplierPayment]


_SESSION = "/enterprises/{enterprise}/sale-sessions/{session}"


@routes.get("/enterprises/{enterprise}/till", scope="payments:read")
def till(call: Call, enterprise: str, query: TillQuery) -> Till:
    """What should lie in the till: what the last count left there, and what the journal says was taken since."""
    return till_of(call.tx, enterprise, query.method)


@routes.get("/enterprises/{enterprise}/till/counts", scope="payments:read")
def counts(call: Call, enterprise: str) -> list[TillCount]:
    """The latest fifty counts of the till, the newest first."""
    return list(till_counts(call.tx, enterprise))


@routes.post("/enterprises/{enterprise}/till/counts", scope="payments:write")
def count(call: Call, enterprise: str, body: NewCount) -> TillCount:
    """Records what was counted in the till."""
    return count_till(
        call.tx,
        enterprise,
        method=body.method,
        currency=enterprise_by_id(call.tx, enterprise).currency,
        counted=body.counted,
        float_after=body.float_after,
        expected=body.expected,
        reason=body.reason,
        person_id=call.person_id,
    )


@routes.post("/enterprises/{enterprise}/till/counts/{count}/back", scope="payments:write", status=204)
def take_back(call: Call, enterprise: str, count: str, body: TakingBack) -> None:
    """Takes the last count of a way to pay back by a counter-entry; both stay on record."""
    take_back_count(call.tx, enterprise, count, reason=body.reason, person_id=call.person_id)


@routes.post("/enterprises/{enterprise}/orders/{order}/reminders", scope="payments:write", status=204)
def remind(call: Call, enterprise: str, order: str) -> None:
    """Mails the customer what is still to be paid, and how; at most three times, three days apart."""
    remind_to_pay(call.tx, locked_order(call.tx, order, enterprise_id=enterprise), person_id=call.person_id)


@routes.get(f"{_SESSION}/supplier-accounts", scope="payments:read")
def accounts(call: Call, enterprise: str, session: str) -> list[SupplierAccount]:
    """What each supplier is owed for a session, and what it was paid."""
    refuse_foreign_session(call.tx, enterprise, session)
    return supplier_accounts(call.tx, enterprise, session)


@routes.get(f"{_SESSION}/supplier-accounts/{{supplier}}", scope="payments:read")
def statement(call: Call, enterprise: str, session: str, supplier: str) -> Statement:
    """The statement of a supplier for a session: what customers got, what that comes to, what was paid."""
    refuse_foreign_session(call.tx, enterprise, session)
    return Statement(
        account=account_of(call.tx, enterprise, session, supplier),
        lines=statement_lines(call.tx, enterprise, session, supplier),
        payments=payments_to(call.tx, enterprise, session, supplier),
    )


@routes.post(f"{_SESSION}/supplier-accounts/{{supplier}}/payments", scope="payments:write")
def pay(call: Call, enterprise: str, session: str, supplier: str, body: NewSupplierPayment) -> SupplierPayment:
    """Records that a supplier was paid."""
    refuse_foreign_session(call.tx, enterprise, session)
    return pay_supplier(
        call.tx,
        enterprise,
        session,
        supplier,
        amount=body.amount,
        left=body.left,
        reference=body.reference,
        person_id=call.person_id,
    )


@routes.get(f"{_SESSION}/books", scope="payments:read")
def books(call: Call, enterprise: str, session: str) -> Books:
    """A session in numbers, with when its books were closed."""
    refuse_foreign_session(call.tx, enterprise, session)
    return Books(
        figures=figures_of(call.tx, enterprise, session), history=history_of_books(call.tx, enterprise, session)
    )


@routes.post(f"{_SESSION}/books/close", scope="payments:write")
def close(call: Call, enterprise: str, session: str, body: Closing) -> BooksEntry:
    """Closes the books of a session: its orders, and what suppliers are owed, do not change any more."""
    refuse_foreign_session(call.tx, enterprise, session)
    return close_books(call.tx, enterprise, session, person_id=call.person_id, anyway=body.anyway)


@routes.post(f"{_SESSION}/books/open", scope="payments:write")
def open_again(call: Call, enterprise: str, session: str, body: Reopening) -> BooksEntry:
    """Opens the books of a session again, for a reason that stays on record; in the office, where that needs a second
    person."""
    refuse_foreign_session(call.tx, enterprise, session)
    if needs_second_person(call.tx, enterprise):
        text = "Two people open the books again here: ask for it on the page of the books, in the office."
        raise Conflict("second_person", text)
    return open_books(call.tx, enterprise, session, reason=body.reason, person_id=call.person_id)
