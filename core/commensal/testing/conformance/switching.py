"""Checks that a plugin has no effect where it is not enabled, and that orders survive when it is disabled."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sqlalchemy import select

from ...base.errors import Refused
from ...hooks.loading import all_hooks
from ...parts.event_delivery.tell import EVENT, HOOKS, tell_plugin
from ...parts.serving.work import work_of
from ...payments.payments import receive_payment
from ...storage.database import RowQuery
from ...storage.jobs import Job
from ...storage.jobs.tables import job
from ..shop import Shop
from .check import Nonconforming, Subject, check, demand
from .shipping import ADDRESS

_OF_ENTERPRISES = tuple(name for name, hook in all_hooks().items() if hook.contract.scope == "enterprise")
_OF_ORDERS = tuple(name for name in HOOKS if name.startswith("order_"))


@check(*_OF_ENTERPRISES)
def where_it_is_off_it_does_nothing(subject: Subject) -> None:
    """It offers nothing there, charges nothing, and writes nothing down."""
    with subject.shop() as shop:
        off = shop.neighbour()
        shop.run_jobs(minutes=5)
        before = subject.kept(shop)
        demand(not off.payment_methods(), "it offers ways to pay where it is off")
        demand(not off.shipping_options(address=ADDRESS), "it offers ways to receive orders where it is off")
        demand(not off.order().adjustments, "it changes prices where it is off")
        off.change({"carrots": 8})
        off.cancel()
        off.run_jobs(minutes=5)
        demand(subject.kept(shop) == before, "it writes into its tables for an enterprise where it is off")


@check(*_OF_ENTERPRISES)
def orders_outlive_it(subject: Subject) -> None:
    """Placed with it, an order can still be handed over or cancelled when its shop does without the plugin."""
    with subject.shop() as shop:
        options = [name for name, option in shop.shipping_options(address=ADDRESS).items() if option.left != 0]
        chosen: dict[str, Any] = {"shipping": options[0], "address": ADDRESS} if options else {}
        orders = [shop.order(**chosen) for _ in range(2)]
        shop.run_jobs()
        with suppress(Refused):  # it asks to stay, and says why; the operator may take it out all the same
            shop.do_without(subject.plugin)
        shop.hand_over(orders[0])
        shop.cancel(orders[1], by_hub=True)
        shop.run_jobs()


@check(*_OF_ORDERS)
def what_it_is_told_twice_it_does_once(subject: Subject) -> None:
    """Events are told at least once; one told again has the same id. Judged by what stands in its tables."""
    with subject.shop() as shop:
        shop.order()
        order = shop.change({"carrots": 5})
        with shop.instance.store.write() as tx:
            receive_payment(
                tx,
                enterprise_id=shop.id,
                order_id=order.id,
                method="cash:cash",
                amount=order.total,
                idempotency_key="told twice",
                person_id=None,
            )
        shop.hand_over()
        with shop.instance.store.read() as tx:
            event_jobs = [Job(**row, attempts=1) for row in tx.all(_events())]
        demand(event_jobs, "nothing was told")
        shop.run_jobs()
        before = subject.kept(shop)
        for event_job in event_jobs:
            tell_plugin(shop.instance, event_job)
        demand(subject.kept(shop) == before, "told of the same event again, it wrote something down again")


def _events() -> RowQuery:
    return select(job.c.id, job.c.kind, job.c.payload).where(job.c.kind == EVENT).order_by(job.c.id)


@check("jobs")
def its_work_runs(subject: Subject) -> None:
    """Kinds and names begin with its id, and what happens periodically happens without an error."""
    with subject.shop() as shop:
        work = work_of(shop.instance)
        for periodic in (periodic for periodic in work.periodic if periodic.name.startswith(f"{subject.plugin}.")):
            try:
                with shop.instance.store.write() as tx:
                    periodic.act(tx)
            except Exception as error:  # whatever it is, its author must read it
                raise Nonconforming(f"{periodic.name} failed: {type(error).__name__}: {error}") from error
        _do(shop)


def _do(shop: Shop) -> None:
    shop.order()
    shop.run_jobs(days=1)


@check("commands")
def its_commands_are_well_formed(subject: Subject) -> None:
    """Added to an empty application, they can be listed with their help."""
    import typer

    app = typer.Typer()
    subject.module.commands(app)
    demand(app.registered_commands or app.registered_groups, "it adds no command")
    typer.main.get_command(app)
