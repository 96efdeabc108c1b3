"""Bugs of orders between instances, and of catalogues."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, select

from commensal import Instance, Job
from commensal_federation.catalogue import copies, grantor
from commensal_federation.catalogue.tables import federation_item
from commensal_federation.handlers import HANDLERS, TYPES
from commensal_federation.messages.bodies.orders import Line
from commensal_federation.orders import answers, hub, onward, supplier
from commensal_federation.orders import work as orders_work
from commensal_federation.orders.tables import federation_order_due
from commensal_federation.runtime import federation_of

from .planting import nothing, now, put, put_handler


def an_older_word_of_the_hub_counts(stack: ExitStack) -> None:
    take_order = HANDLERS[TYPES["OrderUpdate"]].handle

    def take_as_newer(federation: Any, tx: Any, received: Any) -> None:
        order = now(supplier, "order_by_iri")(tx, received.body.iri)
        rev = received.body.rev if order is None else max(received.body.rev, order.rev + 1)
        body = replace(received.body, rev=rev)
        take_order(federation, tx, replace(received, body=body))

    put_handler(stack, "OrderUpdate", handle=take_as_newer)


def an_answer_counts_twice(stack: ExitStack) -> None:
    take_answer = HANDLERS[TYPES["OrderAnswer"]].handle

    def take_twice(federation: Any, tx: Any, received: Any) -> None:
        order = now(answers, "order_by_iri")(tx, received.body.iri)
        number = received.body.answer if order is None else max(received.body.answer, order.answer + 1)
        take_answer(federation, tx, replace(received, body=replace(received.body, answer=number)))

    put_handler(stack, "OrderAnswer", handle=take_twice)


def customers_are_cut_by_what_was_told_and_not_by_what_is(stack: ExitStack) -> None:
    put(stack, answers, "ordered_pieces", lambda *_: 1_000_000)


def an_answer_to_an_older_word_counts(stack: ExitStack) -> None:
    take_answer = HANDLERS[TYPES["OrderAnswer"]].handle

    def take_older(federation: Any, tx: Any, received: Any) -> None:
        order = now(answers, "order_by_iri")(tx, received.body.iri)
        rev = received.body.rev if order is None else max(received.body.rev, order.rev)
        take_answer(federation, tx, replace(received, body=replace(received.body, rev=rev)))

    put_handler(stack, "OrderAnswer", handle=take_older)


def what_is_ordered_beyond_an_answer_counts_as_answered(stack: ExitStack) -> None:
    put(stack, Line, "ordered", lambda line, quantity: replace(line, quantity=quantity))


def what_will_not_come_is_not_sent_back(stack: ExitStack) -> None:
    put(stack, answers, "_return_stock", nothing)


def customers_are_not_cut(stack: ExitStack) -> None:
    put(stack, answers, "_cut_customers", nothing)


def the_close_is_not_told(stack: ExitStack) -> None:
    tell = hub.send_order

    def tell_as_held(federation: Any, tx: Any, mirror: Any, hub: str, ordered: Any, state: str, **about: Any) -> None:
        tell(federation, tx, mirror, hub, ordered, "Held", **about)

    put(stack, hub, "send_order", tell_as_held)


def notes_of_changes_are_dropped_too_early(stack: ExitStack) -> None:
    def send_changes(plan: Any, instance: Instance, job: Job) -> None:
        federation, due = federation_of(instance), federation_order_due
        with instance.store.write() as tx:
            rows = tx.all(select(due.c.kind, due.c.id).order_by(due.c.id))
            tx.execute(delete(due))
        for row in rows:
            with instance.store.write() as tx:
                tell = (
                    now(orders_work, "send_session_orders") if row["kind"] == "session" else now(orders_work, "pass_on")
                )
                tell(federation, tx, row["id"])

    put(stack, orders_work, "send_changes", send_changes)


def a_line_follows_todays_price(stack: ExitStack) -> None:
    lines = hub._lines

    def price_as_today(tx: Any, mirror: Any, order: Any, ordered: Any, costs: Any) -> Any:
        item = federation_item.c
        for line in lines(tx, mirror, order, ordered, costs):
            conditions = (item.iri == line.item_iri, item.grant_id == mirror.grant_id)
            row = tx.first(select(item.price, item.rev).where(*conditions))
            yield line if row is None else replace(line, price=row["price"], rev=row["rev"])

    put(stack, hub, "_lines", price_as_today)


def answers_are_not_passed_back(stack: ExitStack) -> None:
    pass_answer_back = onward.pass_answer_back

    def answer_without_passing(federation: Any, tx: Any, order: Any) -> bool:
        answer = now(onward, "answer_order")
        vars(onward)["answer_order"] = nothing
        try:
            return pass_answer_back(federation, tx, order)
        finally:
            vars(onward)["answer_order"] = answer

    put(stack, answers, "pass_answer_back", answer_without_passing)


def what_was_hidden_stays_listed(stack: ExitStack) -> None:
    post = now(grantor, "post")

    def post_except_withdrawals(
        federation: Any, tx: Any, peer_id: str, type_name: str, *args: Any, **kwargs: Any
    ) -> Any:
        return None if type_name == "CatalogueWithdraw" else post(federation, tx, peer_id, type_name, *args, **kwargs)

    put(stack, grantor, "post", post_except_withdrawals)


def an_older_revision_of_an_item_counts(stack: ExitStack) -> None:
    items = copies._items
    put(stack, copies, "_items", lambda *args: [{**row, "rev": 0} for row in items(*args)])
