"""Writes the demo region into a new instance."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console
from rich.progress import track
from sqlalchemy import update

from ...instance import Instance
from ...people.passwords import hash_password
from ...storage.jobs.tables import job
from ..pictures.images import keep_picture
from ..supply.tables import purchase_order
from .drawings import BASKET, DRAWINGS, LANDSCAPE, draw
from .goods import show_picture, stock_up
from .sales import FIRST_WEEK, hold_sales, week_of
from .settle import OPERATOR, settle_customers, settle_enterprises, settle_people
from .values import DemoRegion, at

T = TypeVar("T")
PASSWORD = "demo-commensal"  # noqa: S105 - of everybody in the region, and printed by the demo


@dataclass(frozen=True, kw_only=True)
class Filled:
    """Ids of hubs and producers in the order of the region, and the address of the instance's operator."""

    hubs: Sequence[str]
    producers: Sequence[str]
    operator: str = OPERATOR.email


def fill(instance: Instance, region: DemoRegion, *, also: Collection[str] = ()) -> Filled:
    """Writes everything with the usual commands, in a few large transactions; past events get past times.

    The instance must be new. `also` are plugins for every hub besides those of the demo. Shows progress on a terminal.
    """
    password_hash = hash_password(PASSWORD)
    pictures = {kind: draw(drawing) for kind, drawing in DRAWINGS.items()}
    logo, cover = draw(BASKET), draw(LANDSCAPE)
    for picture in (*pictures.values(), logo, cover):
        keep_picture(instance.images, picture)
    instance.store.auditor = None  # nobody did what a demo tells
    with instance.store.write() as tx_now:
        tx = at(tx_now, week_of(tx_now.now, FIRST_WEEK + 2).opens_at)
        people = settle_people(tx, region, password_hash, _watch)
        enterprises = settle_enterprises(tx, instance.hooks, region, people, also)
        settle_customers(tx, region, enterprises, _watch)
        for hub_id in enterprises.hubs:
            show_picture(tx, hub_id, "logo", logo, BASKET.alt)
            show_picture(tx, hub_id, "cover", cover, LANDSCAPE.alt)
        catalogs = stock_up(tx, region, people, enterprises, pictures, _watch)
    hold_sales(instance, region, people, enterprises, catalogs, _watch)
    _forget_old_mails(instance)
    return Filled(hubs=enterprises.hubs, producers=enterprises.producers)


def _watch(things: Sequence[T], label: str) -> Iterable[T]:
    return track(things, label, transient=True, disable=not Console().is_terminal)


def _forget_old_mails(instance: Instance) -> None:
    """Marks jobs of the past as done and their e-mails as sent, so that none is sent about an order of last month."""
    with instance.store.write() as tx:
        past_jobs = update(job).where(job.c.state == "waiting", job.c.due_at <= tx.now)
        tx.execute(past_jobs.values(state="done", finished_at=job.c.due_at))
        tx.execute(update(purchase_order).values(mail_state="sent"))
