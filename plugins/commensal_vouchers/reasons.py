"""The reasons why a code does not count for an order, as problems at the code for the customer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from commensal import Money, OrderDraft, Problem, Transaction, format_moment, person_by_id

from .codes import Voucher
from .questions import CodeMatch


def voucher_problem(
    tx: Transaction, order: OrderDraft, matches: Mapping[str, CodeMatch], match: CodeMatch, goods: Mapping[Decimal, int]
) -> Problem | None:
    """The first thing that is against it. `goods` are those that it is for, `found` the vouchers of the order."""
    voucher, where, code = match.voucher, _where(order, match), _code(match)
    if early_or_late := _date_problem(tx, order, match):
        return early_or_late
    if voucher.most_uses is not None and voucher.used >= voucher.most_uses:
        return Problem("code_used_up", "The code {voucher} is used up.", where, code)
    if voucher.once and match.mine:
        return Problem("code_used_by_you", "You have used the code {voucher} already.", where, code)
    if len(matches) > 1 and any(other.voucher.alone for other in matches.values()):
        return Problem("code_alone", "The code {voucher} cannot be used together with the other one.", where, code)
    if not goods:
        return Problem("code_products", "The code {voucher} is not for what you have chosen.", where, code)
    return below_minimum(voucher, order)


def card_problem(tx: Transaction, order: OrderDraft, match: CodeMatch, *, is_paid: bool) -> Problem | None:
    if early_or_late := _date_problem(tx, order, match):
        return early_or_late
    if not is_paid:
        text = "The gift card {voucher} is not paid at the moment: please ask the shop."
        return Problem("card_unpaid", text, _where(order, match), _code(match))
    if not match.voucher.balance and not match.taken:
        return Problem("card_empty", "Nothing is left on the gift card {voucher}.", _where(order, match), _code(match))
    return None


def below_minimum(voucher: Voucher, order: OrderDraft) -> Problem | None:
    """Returns a problem if the goods are below the minimum, by the pieces ordered: a low weight costs no voucher."""
    goods = sum(line.price * line.quantity for line in order.lines)
    if goods >= voucher.minimum:
        return None
    values = {
        "voucher": voucher.code,
        "minimum": Money(voucher.minimum, order.currency),
        "goods": Money(goods, order.currency),
    }
    where = f"/codes/{order.codes.index(voucher.code)}"
    return Problem("code_minimum", "The code {voucher} needs {minimum} of goods, you have {goods}.", where, values)


def _date_problem(tx: Transaction, order: OrderDraft, match: CodeMatch) -> Problem | None:
    voucher, where, code = match.voucher, _where(order, match), _code(match)

    def values_with(moment: datetime) -> dict[str, object]:
        return {**code, "moment": format_moment(moment, order.timezone, order.language)}

    if voucher.archived_at is not None:
        return Problem("code_over", "The code {voucher} is not valid any more.", where, code)
    if voucher.valid_from is not None and tx.now < voucher.valid_from:
        return Problem(
            "code_early", "The code {voucher} is not valid before {moment}.", where, values_with(voucher.valid_from)
        )
    if voucher.valid_until is not None and tx.now >= voucher.valid_until:
        return Problem(
            "code_late", "The code {voucher} was valid until {moment}.", where, values_with(voucher.valid_until)
        )
    return _person_problem(tx, order, match)


def _person_problem(tx: Transaction, order: OrderDraft, match: CodeMatch) -> Problem | None:
    voucher, where, code = match.voucher, _where(order, match), _code(match)
    if voucher.category_ids and not order.category_ids.intersection(voucher.category_ids):
        text = "The code {voucher} is for some customers only; log in if you are one."
        return Problem("code_customers", text, where, code)
    if voucher.confirmed and not _is_confirmed(tx, order.person_id):
        text = "The code {voucher} is for people with a confirmed address; log in and confirm yours."
        return Problem("code_confirmed", text, where, code)
    return None


def _is_confirmed(tx: Transaction, person_id: str | None) -> bool:
    return person_id is not None and person_by_id(tx, person_id).confirmed_at is not None


def _where(order: OrderDraft, match: CodeMatch) -> str:
    return f"/codes/{order.codes.index(match.voucher.code)}"


def _code(match: CodeMatch) -> dict[str, object]:
    return {"voucher": match.voucher.code}
