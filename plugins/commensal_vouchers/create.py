"""Creates codes, one or a whole batch, changes their terms, and archives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TypedDict, Unpack

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
    read_categories,
)

from .codes import (
    LARGEST_VALUE,
    MOST_USES,
    Voucher,
    VoucherKind,
    draw_card_code,
    draw_code,
    read_code,
    voucher_from,
    voucher_mistakes,
)
from .questions import voucher_by_id
from .tables import vouchers_movement, vouchers_voucher

MOST_OF_A_BATCH = 1000


@dataclass(frozen=True, kw_only=True)
class VoucherTerms:
    """The terms of a code; fields mean the same as in `Voucher`. The `amount` of a gift card is its first balance, and
    `category_ids` may be names."""

    kind: VoucherKind
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
    tx: Transaction, enterprise_id: str, terms: VoucherTerms, *, code: str = "", person_id: str | None = None
) -> Voucher:
    """Creates a voucher with a `code` of the shop's choice or a random one; a gift card's code is always random.

    `person_id` is the person who puts the money onto a card. Raises `Invalid`, and `Conflict` for a code that the shop
    has used before.
    """
    problems: list[Problem] = []
    if terms.kind == "card" and code:
        text = "The code of a gift card is drawn by lot: it is money to whoever knows it."
        problems.append(Problem("card_code", text, "/code"))
    checked_code = read_code(code) if code and terms.kind != "card" else _draw(tx, terms.kind)
    if isinstance(checked_code, Problem):
        problems.append(checked_code)
        checked_code = ""
    voucher = _with_category_ids(tx, _voucher(tx, enterprise_id, terms, checked_code, batch_id=None), problems)
    _refuse_mistakes(voucher, terms, problems)
    _insert(tx, [voucher], person_id)
    return voucher


def add_batch(
    tx: Transaction, enterprise_id: str, terms: VoucherTerms, count: int, *, person_id: str | None = None, id: str = ""
) -> list[Voucher]:
    """Creates `count` vouchers on the same terms, each with a random code. With an `id` for the first of them, a second
    request with the same one creates nothing. Raises `Invalid`, `Conflict` for an id that is known."""
    if not 0 < count <= MOST_OF_A_BATCH:
        text = "A batch has between 1 and {most} codes."
        raise Invalid([Problem("count", text, "/count", {"most": MOST_OF_A_BATCH})])
    batch_id = tx.new_id()
    problems: list[Problem] = []
    first = _voucher(tx, enterprise_id, terms, _draw(tx, terms.kind), batch_id=batch_id)
    first = replace(_with_category_ids(tx, first, problems), id=id or first.id)
    _refuse_mistakes(first, terms, problems)
    others = [replace(first, id=tx.new_id(), code=_draw(tx, terms.kind)) for _ in range(count - 1)]
    _insert(tx, [first, *others], person_id)
    return [first, *others]


def change_voucher(
    tx: Transaction, enterprise_id: str, voucher_id: str, version: int, **changes: Unpack[VoucherChanges]
) -> Voucher:
    """Changes a voucher's terms, but never its value or `once`: that needs another code.

    Orders that have it keep it. Raises `NotFound`, `Stale`, `Invalid`, and `Conflict` for fewer uses than there were.
    """
    old = voucher_by_id(tx, enterprise_id, voucher_id)
    problems: list[Problem] = []
    new = _with_category_ids(tx, replace(old, **changes), problems)
    problems += voucher_mistakes(new)
    if problems:
        raise Invalid(problems)
    values = {name: _plain(getattr(new, name)) for name in VoucherChanges.__annotations__}
    is_enough = vouchers_voucher.c.used <= (MOST_USES if new.most_uses is None else new.most_uses)
    try:
        row = edit_row(
            tx, vouchers_voucher, *_selected(enterprise_id, voucher_id), is_enough, version=version, values=values
        )
    except NotFound:
        raise Conflict("used_more", "The code was used more often already.") from None
    return voucher_from(row)


def archive_voucher(tx: Transaction, enterprise_id: str, voucher_id: str, version: int) -> Voucher:
    """Archives a voucher: new orders cannot use it; those that have it keep it. Raises `NotFound`, `Stale`."""
    values = {"archived_at": tx.now}
    return voucher_from(
        edit_row(tx, vouchers_voucher, *_selected(enterprise_id, voucher_id), version=version, values=values)
    )


def _draw(tx: Transaction, kind: VoucherKind) -> str:
    return draw_card_code(tx) if kind == "card" else draw_code(tx)


def _voucher(tx: Transaction, enterprise_id: str, terms: VoucherTerms, code: str, *, batch_id: str | None) -> Voucher:
    values = {name: getattr(terms, name) for name in VoucherTerms.__dataclass_fields__}
    balance = None
    if terms.kind == "card":
        values["amount"], balance = None, terms.amount or 0
    return Voucher(
        **values,
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


def _refuse_mistakes(voucher: Voucher, terms: VoucherTerms, problems: list[Problem]) -> None:
    problems += voucher_mistakes(voucher)
    if voucher.kind == "card" and not 0 < (terms.amount or 0) <= LARGEST_VALUE:
        problems.append(Problem("amount", "Put an amount onto the gift card.", "/amount"))
    if problems:
        raise Invalid(problems)


def _with_category_ids(tx: Transaction, voucher: Voucher, problems: list[Problem]) -> Voucher:
    """Returns the voucher with the ids of its customer categories, which the shop may give by name."""
    category_ids = read_categories(tx, voucher.enterprise_id, voucher.category_ids, "/category_ids", problems)
    return replace(voucher, category_ids=category_ids)


def _insert(tx: Transaction, vouchers: Sequence[Voucher], person_id: str | None) -> None:
    rows = [{name: _plain(value) for name, value in asdict(voucher).items()} for voucher in vouchers]
    insertion = insert_or(tx, vouchers_voucher).values(rows[0]).on_conflict_do_nothing()
    if tx.execute(insertion).rowcount != 1:
        raise Conflict("code_known", "The code {voucher} exists already.", voucher=vouchers[0].code)
    insert_rows(tx, vouchers_voucher, rows[1:])
    insert_rows(
        tx, vouchers_movement, [_first_movement(tx, voucher, person_id) for voucher in vouchers if voucher.balance]
    )


def _first_movement(tx: Transaction, card: Voucher, person_id: str | None) -> Mapping[str, object]:
    keys = {"id": tx.new_id(), "voucher_id": card.id, "order_id": None}
    return {**keys, "amount": card.balance, "note": "", "person_id": person_id, "at": tx.now}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _selected(enterprise_id: str, voucher_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return vouchers_voucher.c.id == voucher_id, vouchers_voucher.c.enterprise_id == enterprise_id
