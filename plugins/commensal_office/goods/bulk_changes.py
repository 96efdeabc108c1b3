"""Changes many goods at once: the ticked rows of the grid get other prices, another rate or kind, or are not offered;
and goods that are not offered come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from starlette.responses import Response

from commensal import Invalid, Problem, Transaction, read_decimal
from commensal.catalogs import hidden_items, hide_items, set_prices, show_items
from commensal.pages import Visit, on_refusal
from commensal.parts.product_lists import Defaults, read_defaults
from commensal.products import change_product, set_rate

from ..frame.desk import Desk, open_desk
from ..frame.render import show
from .assortment import CatalogGoods

TICK = "tick/"
BULK = ("by_percent", "to_vat", "to_kind", "not_offered")  # fields of the form beside the ticks
_MOST_PERCENT = 1000
_MOST_HIDDEN = 200  # rows of the page of goods that are not offered


@dataclass(frozen=True, kw_only=True)
class BulkChange:
    """What the ticked rows get. `percent`: by which prices change, 0: not; `product`: kind and rate, None: as it is."""

    percent: Decimal
    product: Defaults
    hides: bool


def ticked_items(form: Mapping[str, str]) -> frozenset[str]:
    return frozenset(name.removeprefix(TICK) for name in form if name.startswith(TICK))


def read_bulk(form: Mapping[str, str], language: str) -> BulkChange:
    """Reads what the ticked rows get. Raises `Invalid` with every mistake, and if nothing is to change."""
    problems: list[Problem] = []
    percent = read_percent(form.get("by_percent", ""), "/by_percent", problems)
    try:
        product = read_defaults(form.get("to_kind", "").strip(), form.get("to_vat", "").strip(), language)
    except Invalid as error:
        product, fields = Defaults(), {"default_category": "/to_kind", "default_vat": "/to_vat"}
        problems += [Problem(each.code, each.text, fields[each.where], each.values) for each in error.problems]
    if not problems and not percent and product == Defaults() and "not_offered" not in form:
        problems.append(Problem("no_change", "Say what is to change in the ticked rows."))
    if not ticked_items(form):
        problems.append(Problem("nothing_ticked", "Tick at least one row."))
    if problems:
        raise Invalid(problems)
    return BulkChange(percent=percent, product=product, hides="not_offered" in form)


def apply_bulk(
    tx: Transaction,
    visit: Visit,
    desk: Desk,
    change: BulkChange,
    rows: Sequence[CatalogGoods],
    writable: frozenset[str],
) -> int:
    """Changes the rows, and returns their number. Another VAT counts from today on.

    `writable` are the ids of producers whose products the enterprise may change, itself among them.
    Raises `Invalid` naming the goods whose producer alone says their kind and rate.
    """
    kind, rate = change.product.category, change.product.vat_rate
    today = desk.enterprise.date_at(tx.now)
    if change.product != Defaults():
        open_desk(tx, visit, "products:write")
        _refuse_foreign(rows, writable)
    if change.percent:
        set_prices(tx, desk.enterprise.id, prices_by_percent(rows, change.percent))
    for item in rows:
        if rate is not None:
            set_rate(tx, item.product.enterprise_id, item.product.id, rate, today)
        if kind is not None:
            change_product(tx, item.product.enterprise_id, item.product.id, item.product.version, product_type=kind)
    if change.hides:
        hide_items(tx, desk.enterprise.id, [item.item_id for item in rows])
    return len(rows)


def prices_by_percent(rows: Sequence[CatalogGoods], percent: Decimal) -> dict[str, int]:
    """The prices of these items changed by so many percent, by item id, rounded to the minor unit."""
    return {item.item_id: round_to(item.price * (100 + percent) / 100, 1) for item in rows if item.price is not None}


def round_to(amount: Decimal, step: int) -> int:
    """The multiple of `step` that is nearest to the amount, half of it up; all in minor units."""
    return int((amount / step).quantize(Decimal(1), ROUND_HALF_UP)) * step


def read_percent(text: str, where: str, problems: list[Problem]) -> Decimal:
    """The percent that was typed, such as 5 or -2,5; 0: nothing was typed. Adds a mistake at `where` to `problems`."""
    plain = text.strip().removesuffix("%").strip().replace(",", ".").replace("−", "-")
    if not plain:
        return Decimal(0)
    try:
        percent = read_decimal(plain)
        if percent.is_finite() and -100 <= percent <= _MOST_PERCENT:
            return percent
    except InvalidOperation:
        pass
    message = "Give a percent between -100 and {most}, such as 5 or -2.5."
    problems.append(Problem("percent", message, where, {"most": _MOST_PERCENT}))
    return Decimal(0)


def _refuse_foreign(rows: Sequence[CatalogGoods], writable: frozenset[str]) -> None:
    foreign = sorted({item.name for item in rows if item.product.enterprise_id not in writable})
    if foreign:
        text = "Their producer says the kind and the VAT of {names}: do not tick them for this."
        raise Invalid([Problem("of_producer", text, values={"names": ", ".join(foreign[:5])})])


# ------------------------------------------------------------------------------------------- not offered


def hidden_page(visit: Visit) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "catalogs:write")
        after = visit.query.get("after", "")
        items = hidden_items(tx, desk.enterprise.id, after=after, limit=_MOST_HIDDEN + 1)
    shown = items[:_MOST_HIDDEN]
    further = shown[-1].id if len(items) > len(shown) else ""
    return show(visit, desk, "not_offered", at="products", items=shown, further=further, after=after)


@on_refusal(hidden_page)
def post_offer_again(visit: Visit) -> Response:
    """Offers the ticked goods again."""
    item_ids = ticked_items(visit.form)
    if not item_ids:
        raise Invalid([Problem("nothing_ticked", "Tick at least one row.")])
    with visit.write() as tx:
        desk = open_desk(tx, visit, "catalogs:write")
        show_items(tx, desk.enterprise.id, item_ids)
    return visit.redirect(f"{desk.address}/products?saved={len(item_ids)}")
