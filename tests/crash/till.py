"""A payment provider and the plugin that uses it. Its charges outlive the process that asked for them.

The provider is a folder: each charge, refund and cancellation is a file whose name is taken once, so it is as
idempotent and durable as a provider must be. If a process is killed after asking, the entry stays.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from commensal import (
    Event,
    Instance,
    Order,
    Payment,
    PaymentMethod,
    PaymentStart,
    PaymentUpdate,
    Refused,
    WebhookRequest,
    hookimpl,
)


@dataclass(frozen=True)
class Entry:
    """kind: charged, called off, refunded or told (an event of a plugin's hook)"""

    kind: str
    about: str
    amount: int = 0


@dataclass(frozen=True)
class Book:
    """The provider's records. `of` is the id of a payment, a refund or an event; its first entry stands."""

    folder: Path

    def write(self, entry_id: str, entry: Entry) -> Entry:
        self.folder.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=self.folder, prefix=".") as unfinished:
            json.dump(asdict(entry), unfinished)
            unfinished.flush()
            try:
                os.link(unfinished.name, self.folder / entry_id)
            except FileExistsError:
                return Entry(**json.loads((self.folder / entry_id).read_text()))
        return entry

    def read(self, entry_id: str) -> Entry | None:
        file = self.folder / entry_id
        return Entry(**json.loads(file.read_text())) if file.exists() else None

    def every(self, kind: str) -> list[Entry]:
        files = (path for path in self.folder.glob("[!.]*"))
        return [entry for entry in (Entry(**json.loads(file.read_text())) for file in files) if entry.kind == kind]


def book_of(instance: Instance) -> Book:
    return Book(instance.folder / "till")


@hookimpl
def payment_methods() -> Sequence[PaymentMethod]:
    return [PaymentMethod(id="card", label="Card, at once"), PaymentMethod(id="page", label="On the provider's page")]


@hookimpl
def start_payment(payment: Payment, method: str, instance: Instance) -> PaymentStart:
    """A card is charged at once; on the page, the customer pays later, and a message reports it."""
    if method == "page":
        return PaymentStart(text="Pay there.", redirect="https://pay.example/", reference=payment.id)
    charge(payment.id, payment, book_of(instance))
    return PaymentStart(state="Done", reference=payment.id)


def charge(entry_id: str, payment: Payment, book: Book) -> None:
    if book.write(entry_id, Entry("charged", payment.id, payment.amount)).kind != "charged":
        raise Refused("called_off", "This payment was called off.")


@hookimpl
def payment_status(payment: Payment, instance: Instance) -> PaymentUpdate | None:
    entry = book_of(instance).read(payment.id)
    if entry is None:
        return None
    state = "Done" if entry.kind == "charged" else "Cancelled"
    return PaymentUpdate(payment_id=payment.id, state=state, amount=payment.amount, currency=payment.currency)  # type: ignore[arg-type]


@hookimpl
def cancel_payment(payment: Payment, instance: Instance) -> None:
    book_of(instance).write(payment.id, Entry("called off", payment.id))


@hookimpl
def payment_webhook(request: WebhookRequest) -> Sequence[PaymentUpdate]:
    return [PaymentUpdate(**json.loads(request.body))]


@hookimpl
def refund_payment(refund: Payment, payment: Payment, instance: Instance) -> PaymentUpdate:
    entry = book_of(instance).write(refund.id, Entry("refunded", payment.id, refund.amount))
    return PaymentUpdate(payment_id=refund.id, state="Done", amount=entry.amount, currency=refund.currency)


@hookimpl
def order_placed(event: Event, order: Order, instance: Instance) -> None:
    book_of(instance).write(event.id, Entry("told", order.id))
