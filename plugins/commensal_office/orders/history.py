"""What happened to an order, in words: who changed what when, which e-mails were sent, and what they were about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from commensal import Instance, Order, Payment, Transaction, format_money, format_quantity, translate
from commensal.audit import AuditEntry, AuditFilter, audit_entries
from commensal.orders import GoodsChange, changes_of, confirmed_at
from commensal.pages import plugin_mail_names
from commensal.parts.mail import SentMail, mails_of_order

from ..money.conflicts import DoubleTaking

_MOST = 50  # entries of the audit trail


@dataclass(frozen=True, kw_only=True)
class HistoryEntry:
    """at:   UTC
    who:  a name; "" for the computer, and for the customer, of whose own orders no trail is kept
    text: what happened, in the reader's language
    bad:  whether somebody should look after it
    """

    at: datetime
    who: str = ""
    text: str
    bad: bool = False


def history_of(
    tx: Transaction,
    order: Order,
    names: Mapping[str, str],
    language: str,
    *,
    sees_trail: bool,
    sees_money: bool,
    sees_addresses: bool,
    conflicts: Sequence[DoubleTaking] = (),
    payments: Sequence[Payment] = (),
) -> Sequence[HistoryEntry]:
    """Everything that is known to have happened to the order, newest first: amounts for who `sees_money`, and e-mail
    addresses for who `sees_addresses`.

    `names` are what kinds of e-mails are called, from `mail_names`.
    """
    trail = AuditFilter(object_kind="customer_order", object_id=order.id)
    entries = audit_entries(tx, trail, _MOST) if sees_trail else ()
    mails = mails_of_order(tx, order.enterprise_id, order.id)
    happenings = [
        *_of_order(order, language),
        *_of_link(confirmed_at(tx, order.id), language),
        *_of_mails(mails, names, language, "" if sees_addresses else order.name),
        *_of_conflicts(conflicts, language),
        *_of_refunds(payments, language),
    ]
    changes = changes_of(tx, order.id)
    of_hub = {change.at: change for change in changes if change.by == "hub"}
    for entry in entries:
        goods = _goods_of(of_hub.pop(entry.at), language) if entry.at in of_hub else ()
        text = " · ".join([*_words(entry, order, language, sees_money=sees_money), *goods])
        if text:
            happenings.append(HistoryEntry(at=entry.at, who=entry.person or entry.client, text=text))
    untold = [*of_hub.values(), *(change for change in changes if change.by == "customer")]
    happenings += [_of_change(change, order, language, sees_money=sees_money) for change in untold]
    return sorted(happenings, key=lambda happening: happening.at, reverse=True)


def _of_change(change: GoodsChange, order: Order, language: str, *, sees_money: bool) -> HistoryEntry:
    """A change that the trail does not tell: by the customer, or to who reads no trail."""
    by_customer = change.by == "customer"
    who = translate(language, "the customer") if by_customer else ""
    parts = list(_goods_of(change, language))
    if sees_money and change.total_before != change.total_after:
        parts.insert(0, _total_changed(change.total_before, change.total_after, order.currency, language))
    return HistoryEntry(at=change.at, who=who, text=" · ".join(parts))


def _goods_of(change: GoodsChange, language: str) -> Iterator[str]:
    for goods in change.goods:
        size = format_quantity(goods.unit_quantity, goods.unit, language)
        yield f"{goods.name} ({size}) {goods.before} → {goods.after}"


def _total_changed(before: int, after: int, currency: str, language: str) -> str:
    amounts = [format_money(amount, currency, language) for amount in (before, after)]
    return translate(language, "total {before} → {after}").format(before=amounts[0], after=amounts[1])


def _of_refunds(payments: Sequence[Payment], language: str) -> Iterator[HistoryEntry]:
    text = translate(language, "{amount} given back")
    for payment in payments:
        if payment.kind == "refund" and payment.state == "Done":
            amount = format_money(payment.amount, payment.currency, language)
            yield HistoryEntry(at=payment.changed_at, text=text.format(amount=amount))


def _of_order(order: Order, language: str) -> Iterator[HistoryEntry]:
    moments = (
        (order.placed_at, translate(language, "ordered")),
        (order.fulfilled_at, translate(language, "handed over")),
        (order.cancelled_at, translate(language, "cancelled")),
    )
    yield from (HistoryEntry(at=at, text=text) for at, text in moments if at is not None)


def _of_link(followed_at: datetime | None, language: str) -> Iterator[HistoryEntry]:
    if followed_at is not None:
        text = translate(language, "confirmed the address by a link in an e-mail")
        yield HistoryEntry(at=followed_at, who=translate(language, "the customer"), text=text)


def mail_names(instance: Instance, language: str) -> Mapping[str, str]:
    """What each kind of e-mail about an order is, in words."""
    return {
        **plugin_mail_names(instance, language),
        "order_placed": translate(language, "confirmation"),
        "order_changed": translate(language, "changed order"),
        "order_cancelled": translate(language, "cancellation"),
        "order_final": translate(language, "final order"),
        "order_ready": translate(language, "order is ready"),
        "order_reminder": translate(language, "reminder"),
        "order_refunded": translate(language, "refund"),
        "order_not_collected": translate(language, "not collected"),
        "order_to_pay": translate(language, "request to pay"),
        "order_moved": translate(language, "other time"),
        "order_unpaid": translate(language, "cancellation"),
        "order_unconfirmed": translate(language, "cancellation"),
        "purchase_order": translate(language, "order to the supplier"),
    }


def _of_mails(
    mails: Sequence[SentMail], names: Mapping[str, str], language: str, customer: str
) -> Iterator[HistoryEntry]:
    """E-mails, by their address or by the name of the `customer`."""
    of_plugin = translate(language, "message of an extension")
    for mail in mails:
        values = {"mail": names.get(mail.kind, of_plugin), "to": customer or mail.to}
        if mail.state == "waiting":
            text = translate(language, "An e-mail about all of this leaves then: {to} has had many in the last hour")
            yield HistoryEntry(at=mail.at, text=text.format(**values))
        elif mail.state == "failed":
            yield HistoryEntry(
                at=mail.at, text=translate(language, "E-mail “{mail}” did not reach {to}").format(**values), bad=True
            )
        else:
            yield HistoryEntry(at=mail.at, text=translate(language, "E-mail “{mail}” sent to {to}").format(**values))


def _of_conflicts(conflicts: Sequence[DoubleTaking], language: str) -> Iterator[HistoryEntry]:
    """Money that was taken and not recorded, and what was decided about it."""
    decisions = {
        "given_back": translate(language, "gave back {amount} that was taken and not recorded"),
        "recorded": translate(language, "recorded {amount} that was taken at the hand-out"),
    }
    untold = translate(language, "settled {amount} that was taken and not recorded")
    taken = translate(language, "took {amount} that could not be recorded")
    for conflict in conflicts:
        amount = format_money(conflict.amount, conflict.currency, language)
        yield HistoryEntry(at=conflict.taken_at, who=conflict.taken_by, text=taken.format(amount=amount))
        if conflict.settled_at is not None:
            text = decisions.get(conflict.decision or "", untold)
            yield HistoryEntry(at=conflict.settled_at, who=conflict.settled_by, text=text.format(amount=amount))


def _words(entry: AuditEntry, order: Order, language: str, *, sees_money: bool) -> Iterator[str]:
    """What an entry of the trail says of an order; nothing for what no reader asks about."""
    fields = entry.fields
    if entry.action == "merged":
        yield translate(language, "put together with order {number}").format(number=fields.get("into", ""))
    if entry.action == "withdrawn":
        text = translate(language, "taken out of all orders: {goods} ({reason})")
        yield text.format(goods=fields.get("goods", ""), reason=fields.get("reason", ""))
    if entry.action == "repriced" and sees_money:
        before, now = (format_money(amount, order.currency, language) for amount in fields["price"])
        text = translate(language, "price of {goods} {before} → {after}, as the customer agreed")
        if not fields.get("agreed"):
            text = translate(language, "price of {goods} {before} → {after}")
        yield text.format(goods=fields.get("item", ""), before=before, after=now)
    if entry.action == "revived":
        yield translate(language, "cancellation taken back")
    if entry.action == "corrected":
        yield translate(language, "corrected after the hand-over")
    if entry.action != "changed":
        return
    state, packed = _now(fields, "state"), _now(fields, "fulfilment_state")
    if state == "Cancelled":
        yield translate(language, "cancelled")
    elif packed in ("Held", "Fulfilled"):
        yield translate(language, "handed over") if packed == "Fulfilled" else translate(language, "packed")
    if "total" in fields and sees_money:
        before, after = fields["total"]
        yield _total_changed(before, after, order.currency, language)
    if "shipping_label" in fields:
        yield translate(language, "another slot: {slot}").format(slot=_now(fields, "shipping_label"))
    if "payment_method" in fields:
        yield translate(language, "paid another way")
    texts = {
        "note": translate(language, "note"),
        "phone": translate(language, "telephone"),
        "collector": translate(language, "somebody else collects it"),
    }
    for name, text in texts.items():
        if name in fields:
            yield text


def _now(fields: Mapping[str, object], name: str) -> object:
    """The new value of a field that changed, of the pair of values."""
    values = fields.get(name)
    return values[-1] if isinstance(values, list | tuple) and values else None
