"""Makes codes, one or a whole batch, changes what they are good for, and takes them out of use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from sqlalchemy import ColumnElement

from commensal import (
    Conflict,
    Invalid,
    NotFound,
    Problem,
    Transaction,
    edit_row,
    enterprise_by_id,
    insert_or,
    insert_rows,
    list_categories,
)

from .codes import drawn_card, drawn_code, read_code
from .questions import voucher_by_id
from .tables import vouchers_movement, vouchers_voucher
from .voucher import DEAREST, MOST_USES, Kind, Voucher, mistakes_in, voucher_from

MOST_OF_A_BATCH = 1000


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a code is good for; the meaning of each is that of `Voucher`. `amount` of a gift card is put onto it."""

    kind: Kind
    name: str = ""
    amount: int | None = None
    percent: Decimal | None = None
    most: int | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    minimum: int = 0
    once: bool = False
    confirmed: bool = False
    alone: bool = False
    category_ids: tuple[str, ...] = ()
    product_types: tuple[str, ...] = ()
    most_uses: int | None = None


class VoucherChanges(TypedDict, total=False):
    name: str
    valid_from: datetime | None
    valid_until: datetime | None
    minimum: int
    confirmed: bool
    alone: bool
    category_ids: tuple[str, ...]
    product_types: tuple[str, ...]
    most_uses: int | None


def add_voucher(
    tx: Transaction, enterprise_id: str, terms: Terms, *, code: str = "", person_id: str | None = None
) -> Voucher:
    """A new voucher with a `code` of the shop's choice, or one drawn by lot; a gift card's is always drawn.

    `person_id` is who puts the money onto a card. Raises `Invalid`, and `Conflict` for a code that the shop has had.
    """
    problems: list[Problem] = []
    if terms.kind == "card" and code:
        text = "The code of a gift card is drawn by lot: it is money to whoever knows it."
        problems.append(Problem("card_code", text, "/code"))
    read = read_code(code) if code and terms.kind != "card" else _drawn(tx, terms.kind)
    if isinstance(read, Problem):
        problems.append(read)
        read = ""
    voucher = _voucher(tx, enterprise_id, terms, read, batch_id=None)
    _refuse_mistakes(tx, voucher, terms, problems)
    _keep(tx, [voucher], person_id)
    return voucher


def add_batch(
    tx: Transaction, enterprise_id: str, terms: Terms, count: int, *, person_id: str | None = None
) -> list[Voucher]:
    """As many vouchers on the same terms, each with a code drawn by lot. Raises `Invalid`."""
    if not 0 < count <= MOST_OF_A_BATCH:
        text = "A batch has between 1 and {most} codes."
        raise Invalid([Problem("count", text, "/count", {"most": MOST_OF_A_BATCH})])
    batch_id = tx.new_id()
    first = _voucher(tx, enterprise_id, terms, _drawn(tx, terms.kind), batch_id=batch_id)
    _refuse_mistakes(tx, first, terms, [])
    more = [replace(first, id=tx.new_id(), code=_drawn(tx, terms.kind)) for _ in range(count - 1)]
    _keep(tx, [first, *more], person_id)
    return [first, *more]


def change_voucher(
    tx: Transaction, enterprise_id: str, voucher_id: str, version: int, **changes: Unpack[VoucherChanges]
) -> Voucher:
    """What a code is worth never changes, nor whether each customer has it once: make another code.

    Orders that have it keep it. Raises `NotFound`, `Stale`, `Invalid`, and `Conflict` for fewer uses than there were.
    """
    old = voucher_by_id(tx, enterprise_id, voucher_id)
    new = replace(old, **changes)
    problems = mistakes_in(new) + _unknown_categories(tx, new)
    if problems:
        raise Invalid(problems)
    values = {name: _plain(getattr(new, name)) for name in VoucherChanges.__annotations__}
    enough = vouchers_voucher.c.used <= (MOST_USES if new.most_uses is None else new.most_uses)
    try:
        row = edit_row(
            tx, vouchers_voucher, *_theirs(enterprise_id, voucher_id), enough, version=version, values=values
        )
    except NotFound:
        raise Conflict("used_more", "The code was used more often already.") from None
    return voucher_from(row)


def archive_voucher(tx: Transaction, enterprise_id: str, voucher_id: str, version: int) -> Voucher:
    """No new order can use it; those that have it keep it, and what they give back goes back. Raises as above."""
    values = {"archived_at": tx.now}
    return voucher_from(
        edit_row(tx, vouchers_voucher, *_theirs(enterprise_id, voucher_id), version=version, values=values)
    )


def _drawn(tx: Transaction, kind: Kind) -> str:
    return drawn_card(tx) if kind == "card" else drawn_code(tx)


def _voucher(tx: Transaction, enterprise_id: str, terms: Terms, code: str, *, batch_id: str | None) -> Voucher:
    given = {name: getattr(terms, name) for name in Terms.__dataclass_fields__}
    balance = None
    if terms.kind == "card":
        given["amount"], balance = None, terms.amount or 0
    return Voucher(
        **given,
        id=tx.new_id(),
        enterprise_id=enterprise_id,
        code=code,
        currency=enterprise_by_id(tx, enterprise_id).currency,
        balance=balance,
        used=0,
        batch_id=batch_id,
        archived_at=None,
        created_at=tx.now,
        version=1,
    )


def _refuse_mistakes(tx: Transaction, voucher: Voucher, terms: Terms, problems: list[Problem]) -> None:
    problems += mistakes_in(voucher) + _unknown_categories(tx, voucher)
    if voucher.kind == "card" and not 0 < (terms.amount or 0) <= DEAREST:
        problems.append(Problem("amount", "Put an amount onto the gift card.", "/amount"))
    if problems:
        raise Invalid(problems)


def _unknown_categories(tx: Transaction, voucher: Voucher) -> list[Problem]:
    if not voucher.category_ids:
        return []
    known = {one.id for one in list_categories(tx, voucher.enterprise_id)}
    return [
        Problem("category", "There is no such category of customers.", f"/category_ids/{place}")
        for place, one in enumerate(voucher.category_ids)
        if one not in known
    ]


def _keep(tx: Transaction, vouchers: Sequence[Voucher], person_id: str | None) -> None:
    rows = [{name: _plain(value) for name, value in asdict(one).items()} for one in vouchers]
    if len(rows) == 1:
        added = insert_or(tx, vouchers_voucher).values(rows[0]).on_conflict_do_nothing()
        if tx.execute(added).rowcount != 1:
            raise Conflict("code_known", "The code {voucher} exists already.", voucher=vouchers[0].code)
    else:
        insert_rows(tx, vouchers_voucher, rows)
    insert_rows(tx, vouchers_movement, [_issued(tx, one, person_id) for one in vouchers if one.balance])


def _issued(tx: Transaction, card: Voucher, person_id: str | None) -> Mapping[str, Any]:
    whose = {"id": tx.new_id(), "voucher_id": card.id, "order_id": None}
    return {**whose, "amount": card.balance, "note": "", "person_id": person_id, "at": tx.now}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _theirs(enterprise_id: str, voucher_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return vouchers_voucher.c.id == voucher_id, vouchers_voucher.c.enterprise_id == enterprise_id
