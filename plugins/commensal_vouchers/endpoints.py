"""Vouchers over the JSON API, for members with rights on the shop's payments: whoever reads codes can spend them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated

import msgspec

from commensal import Body, Call, Endpoint, File, NotFound, Page, Paging, Routes, changes, hookimpl, page_of

from .codes import LARGEST_VALUE, MOST_USES, Voucher, VoucherKind, codes_csv
from .create import MOST_OF_A_BATCH, VoucherTerms, add_batch, add_voucher, archive_voucher, change_voucher
from .issuing import move_balance
from .questions import Movement, movements_of, voucher_by_id, vouchers_of

_routes = Routes("vouchers")
_VOUCHERS = "/enterprises/{enterprise}/vouchers"
_VOUCHER = f"{_VOUCHERS}/{{voucher}}"
_BATCHES = "/enterprises/{enterprise}/batches"

Text = Annotated[str, msgspec.Meta(max_length=200)]
Code = Annotated[str, msgspec.Meta(max_length=40)]
Amount = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_VALUE)]
Uses = Annotated[int, msgspec.Meta(ge=1, le=MOST_USES)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Names = Annotated[tuple[Annotated[str, msgspec.Meta(max_length=64)], ...], msgspec.Meta(max_length=50)]


class NewTerms(Body, frozen=True, kw_only=True):
    """`amount`, in minor units, is a voucher's discount or a gift card's first balance; `percent` is of the goods."""

    kind: VoucherKind
    name: Text = ""
    amount: Amount | None = None
    percent: Decimal | None = None
    most: Amount | None = None
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    minimum: Amount = 0
    once: bool = False
    confirmed: bool = False
    alone: bool = False
    category_ids: Names = ()
    product_types: Names = ()
    most_uses: Uses | None = None

    def terms(self) -> VoucherTerms:
        return VoucherTerms(**{name: getattr(self, name) for name in VoucherTerms.__dataclass_fields__})


class NewVoucher(NewTerms, frozen=True, kw_only=True):
    """Without a `code`, a random one is created; the code of a gift card is always random."""

    code: Code = ""


class NewBatch(NewTerms, frozen=True, kw_only=True):
    count: Annotated[int, msgspec.Meta(ge=1, le=MOST_OF_A_BATCH)]


class VoucherPatch(Body, frozen=True, kw_only=True):
    name: Text | msgspec.UnsetType = msgspec.UNSET
    valid_from: Moment | msgspec.UnsetType | None = msgspec.UNSET
    valid_until: Moment | msgspec.UnsetType | None = msgspec.UNSET
    minimum: Amount | msgspec.UnsetType = msgspec.UNSET
    confirmed: bool | msgspec.UnsetType = msgspec.UNSET
    alone: bool | msgspec.UnsetType = msgspec.UNSET
    category_ids: Names | msgspec.UnsetType = msgspec.UNSET
    product_types: Names | msgspec.UnsetType = msgspec.UNSET
    most_uses: Uses | msgspec.UnsetType | None = msgspec.UNSET


class NewMovement(Body, frozen=True, kw_only=True):
    """`amount`, in minor units, is added to the card's balance; a negative one is subtracted."""

    amount: Annotated[int, msgspec.Meta(ge=-LARGEST_VALUE, le=LARGEST_VALUE)]
    note: Text = ""


class VoucherQuery(Paging, frozen=True, kw_only=True):
    code: Code = ""
    batch: Annotated[str, msgspec.Meta(max_length=64)] = ""
    archived: bool = False


@hookimpl
def endpoints() -> Sequence[Endpoint]:
    return _routes.endpoints


@_routes.get(_VOUCHERS, scope="payments:read")
def vouchers(call: Call, enterprise: str, query: VoucherQuery) -> Page[Voucher]:
    """The shop's codes: those in use, or those that were archived; one by its code, or those of a batch."""
    page = vouchers_of(
        call.tx,
        enterprise,
        code=query.code,
        batch_id=query.batch,
        archived=query.archived,
        after=query.after,
        limit=query.limit,
    )
    return page_of(page, query.limit, lambda found_voucher: found_voucher.id)


@_routes.get(_VOUCHER, scope="payments:read")
def voucher(call: Call, enterprise: str, voucher: str) -> Voucher:
    """One code."""
    return voucher_by_id(call.tx, enterprise, voucher)


@_routes.post(_VOUCHERS, scope="payments:write", status=201)
def add_one_voucher(call: Call, enterprise: str, body: NewVoucher) -> Voucher:
    """Creates a voucher or a gift card."""
    return add_voucher(call.tx, enterprise, body.terms(), code=body.code, person_id=call.person_id)


@_routes.post(_BATCHES, scope="payments:write", status=201, needs_key=True)
def add_batch_of_vouchers(call: Call, enterprise: str, body: NewBatch) -> list[Voucher]:
    """Creates many vouchers on the same terms, with random codes."""
    return add_batch(call.tx, enterprise, body.terms(), body.count, person_id=call.person_id)


@_routes.get(f"{_BATCHES}/{{batch}}/csv", scope="payments:read")
def batch_as_csv(call: Call, enterprise: str, batch: str) -> File:
    """The codes of a batch that are in use, as a table to print or to send."""
    batch_vouchers = vouchers_of(call.tx, enterprise, batch_id=batch, limit=MOST_OF_A_BATCH)
    if not batch_vouchers:
        raise NotFound
    return File(codes_csv(batch_vouchers, call.language), "text/csv; charset=utf-8", filename="codes.csv")


@_routes.patch(_VOUCHER, scope="payments:write", edits=True)
def change_one_voucher(call: Call, enterprise: str, voucher: str, body: VoucherPatch) -> Voucher:
    """Changes when, how often and for whom a code is valid, but not its value. Orders that have it keep it."""
    return change_voucher(call.tx, enterprise, voucher, call.version, **changes(body))


@_routes.delete(_VOUCHER, scope="payments:write", edits=True)
def archive_one_voucher(call: Call, enterprise: str, voucher: str) -> None:
    """Takes a code out of use. Orders that have it keep it."""
    archive_voucher(call.tx, enterprise, voucher, call.version)


@_routes.get(f"{_VOUCHER}/movements", scope="payments:read")
def movements(call: Call, enterprise: str, voucher: str, query: Paging) -> Page[Movement]:
    """The movements of a gift card: what was put onto it, and what it has paid."""
    page = movements_of(call.tx, enterprise, voucher, after=query.after, limit=query.limit)
    return page_of(page, query.limit, lambda movement: movement.id)


@_routes.post(f"{_VOUCHER}/movements", scope="payments:write", status=201, needs_key=True)
def move_balance_of_card(call: Call, enterprise: str, voucher: str, body: NewMovement) -> Voucher:
    """Puts money onto a gift card, or takes it off."""
    return move_balance(call.tx, enterprise, voucher, body.amount, note=body.note, person_id=call.person_id)
