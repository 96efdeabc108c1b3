"""Adds goods to the catalogue: a whole list from a spreadsheet, checked before anything is saved, or one product."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from starlette.responses import Response

from commensal import (
    MEASURES,
    PRODUCT_TYPES,
    Invalid,
    Problem,
    Refused,
    Transaction,
    near_product_types,
    price_problem,
    read_amount,
    read_decimal,
    wide_product_types,
)
from commensal.catalogs import Listing, first_catalog, list_products
from commensal.pages import Mistakes, Visit, mistakes, on_refusal
from commensal.parts.product_lists import (
    Defaults,
    ListReport,
    PlannedList,
    PriceSlip,
    is_slip,
    plan_list,
    read_defaults,
    read_list,
)
from commensal.products import create_product

from ..frame.desk import Desk, open_desk
from ..frame.render import show
from .assortment import confirmation_of, confirmed, orders_at_old_price

LARGEST_FILE = 500_000  # bytes; the form that saves it holds it once more, in base 64
_ONE = ("name", "kind", "quantity", "unit", "price", "vat_rate", "stock")
_USUAL_UNITS = ("Kilogram", "Gram", "Litre", "Millilitre", "Piece")


def import_page(visit: Visit, *, report: ListReport | None = None, content: bytes = b"") -> Response:
    slips = report.slips if report else ()
    with visit.read() as tx:
        desk = open_desk(tx, visit, "catalogs:write")
        keeping = orders_at_old_price(tx, desk, slips)
    return show(
        visit,
        desk,
        "goods",
        at="products",
        report=report,
        slips=slips,
        slips_confirmed_by=confirmation_of(slips),
        keeping=keeping,
        content=base64.b64encode(content).decode(),
        cells=visit.form.get("cells", ""),
        typed=_typed_defaults(visit),
        done=visit.query.get("done", ""),
    )


def _typed_defaults(visit: Visit) -> dict[str, str]:
    return {name: visit.form.get(name, "").strip()[:100] for name in ("default_category", "default_vat")}


@on_refusal(import_page, ())
def post_import(visit: Visit) -> Response:
    """Shows what a list would change, with every mistake; or saves the list that was shown."""
    content = _content(visit)
    desk, planned = _plan(visit, content)
    if visit.query.get("then") != "save" or not confirmed(visit, planned.report.slips):
        return import_page(visit, report=planned.report, content=content)
    with visit.write() as tx:
        open_desk(tx, visit, "catalogs:write")
        report = planned.commit(tx, person_id=visit.actor.person_id)
    return visit.redirect(f"{desk.address}/products?saved={report.created + report.changed}")


def _content(visit: Visit) -> bytes:
    """The list: an uploaded file, pasted cells, or the list that the page has shown. Raises `Invalid`."""
    content = visit.body or visit.form.get("cells", "").encode()
    if not content:
        try:
            content = base64.b64decode(visit.form.get("content", ""), validate=True)
        except binascii.Error:
            content = b""
    if not content:
        raise Invalid([Problem("no_list", "Choose a file, or paste the cells of your spreadsheet.")])
    if len(content) > LARGEST_FILE:
        text = "This list is larger than {most} KB. Hand it in in parts."
        raise Invalid([Problem("too_large", text, values={"most": LARGEST_FILE // 1000})])
    return content


def _plan(visit: Visit, content: bytes) -> tuple[Desk, PlannedList]:
    """What the list would change, worked out without holding up those who write."""
    with visit.instance.store.write() as tx:  # the form has not acted yet, so its key is not claimed
        desk = open_desk(tx, visit, "catalogs:write")
        catalog_id = first_catalog(tx, desk.enterprise.id).id
    typed = _typed_defaults(visit)
    defaults = read_defaults(typed["default_category"], typed["default_vat"], visit.language)
    with visit.read() as tx:
        listed = read_list(content, tx.plugin_fields.products)
        return desk, plan_list(tx, desk.enterprise.id, listed, catalog_id=catalog_id, defaults=defaults)


# ------------------------------------------------------------------------------------------------ one product


def new_product_page(visit: Visit, slips: Sequence[PriceSlip] = ()) -> Response:
    typed = _typed(visit) if visit.form else {**dict.fromkeys(_ONE, ""), "unit": "Kilogram", "quantity": "1"}
    with visit.read() as tx:
        desk = open_desk(tx, visit, "products:write")
    kinds = sorted(concept.label(visit.language) for concept in PRODUCT_TYPES.values())
    return show(
        visit,
        desk,
        "new_product",
        at="products",
        typed=typed,
        kinds=kinds,
        slips=slips,
        slips_confirmed_by=confirmation_of(slips),
        units=[(unit, MEASURES[unit]) for unit in _USUAL_UNITS],
        near_kinds=_near_kinds(typed["kind"], visit.language) if typed["kind"] else [],
    )


def _near_kinds(typed: str, language: str) -> list[str]:
    """What can be chosen instead of a type that is not known: the nearest ones, then the wide ones, of which one is
    always right."""
    kinds = [*near_product_types(typed, language), *wide_product_types()]
    return list(dict.fromkeys(concept.label(language) for concept in kinds))


def _typed(visit: Visit) -> dict[str, str]:
    typed = {name: visit.form.get(name, "").strip()[:200] for name in _ONE}
    return {**typed, "kind": visit.form.get("kind_chosen", "")[:200] or typed["kind"]}


def _mistakes(visit: Visit, error: Refused, is_field: Callable[[str], bool]) -> Mistakes:
    """With the names of the form's fields instead of those of the product."""
    names = {"/product_type": "/kind", "/on_hand": "/stock"}
    problems = [replace(each, where=names.get(each.where, each.where)) for each in error.problems]
    return mistakes(visit, Invalid(problems) if problems else error, is_field)


@on_refusal(new_product_page, mistakes_of=_mistakes)
def post_new_product(visit: Visit) -> Response:
    """Makes a product of the enterprise's own, with its stock, and lists it at its price."""
    with visit.write() as tx, tx.attempt() as attempt:
        desk = open_desk(tx, visit, "products:write")
        address, slips = _create(tx, visit, desk, _typed(visit))
        if not confirmed(visit, slips):
            attempt.rollback()
    if not confirmed(visit, slips):
        return new_product_page(visit, slips)
    return visit.redirect(address)


def _create(tx: Transaction, visit: Visit, desk: Desk, typed: dict[str, str]) -> tuple[str, list[PriceSlip]]:
    """Returns the address of the page to go to, and the price if somebody should confirm it."""
    problems: list[Problem] = []
    price = read_amount(typed["price"], desk.enterprise.currency)
    if isinstance(price, Problem):
        problems.append(Problem(price.code, price.text, "/price", price.values))
    elif problem := price_problem(price, "/price"):
        problems.append(problem)
    quantity = read_number(typed["quantity"], "quantity", problems)
    stock = read_number(typed["stock"], "stock", problems) if typed["stock"] else None
    defaults = _defaults(typed, visit.language, problems)
    if problems or isinstance(price, Problem) or defaults.category is None or defaults.vat_rate is None:
        raise Invalid(problems)
    product = create_product(
        tx,
        enterprise_id=desk.enterprise.id,
        name=typed["name"],
        product_type=defaults.category,
        quantity=quantity,
        unit=typed["unit"],
        vat_rate=defaults.vat_rate,
        pieces=stock,
        unlimited=stock is None,
        person_id=visit.actor.person_id,
    )
    catalog_id = first_catalog(tx, desk.enterprise.id).id
    list_products(tx, desk.enterprise.id, catalog_id, [Listing(product_id=product.id, price=price)])
    slip = PriceSlip(item_id="", name=typed["name"], before=None, after=price)
    return f"{desk.address}/products?saved=1", [slip] if is_slip(None, price) else []


def _defaults(typed: dict[str, str], language: str, problems: list[Problem]) -> Defaults:
    """The kind and the rate of the form; adds mistakes to `problems`, where they are lacking too."""
    for name in ("kind", "vat_rate"):
        if not typed[name]:
            problems.append(Problem("missing", "This must be filled in.", f"/{name}"))
    try:
        return read_defaults(typed["kind"], typed["vat_rate"], language)
    except Invalid as error:
        named = {"default_category": "/kind", "default_vat": "/vat_rate"}
        problems += [Problem(each.code, each.text, named[each.where], each.values) for each in error.problems]
        return Defaults()


def read_number(text: str, name: str, problems: list[Problem]) -> Decimal:
    """The number typed into a field of this name. Adds a mistake to `problems`, and returns 0, if it is none."""
    try:
        number = read_decimal(text.replace(",", "."))
        if number.is_finite():
            return number
    except InvalidOperation:
        pass
    problems.append(Problem("not_a_number", "{text!r} is not a number.", f"/{name}", {"text": text[:40]}))
    return Decimal(0)
