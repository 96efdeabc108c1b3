"""Tells people by mail when the next sale of a hub opens: those who have asked for it, until they stop it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, insert, or_, select, update

from commensal import (
    DataSubject,
    Enterprise,
    Invalid,
    KeptRows,
    MailedLink,
    NotFound,
    Periodic,
    Problem,
    Recipient,
    Sale,
    Transaction,
    Work,
    enterprises_by_id,
    format_moment,
    hookimpl,
    mail_people,
    person_by_id,
    read_email,
    sales,
)
from commensal.parts.mail import subject_of_link

from .showing import title_of
from .tables import shop_favourite, shop_watch

_AGAIN = timedelta(days=1)  # until a link is mailed to the same address once more
_UNCONFIRMED = timedelta(days=3)
_LINK = "shop.watch"  # the purpose of the mailed links, which confirm a wish and end it
_AT_ONCE = 500  # mails in one transaction; the others wait for the next minute
_row = shop_watch.c


@dataclass(frozen=True, kw_only=True)
class Watch:
    """The wish of an address to be told of a hub's sales. `confirmed`: its owner has followed the mailed link."""

    id: str
    enterprise_id: str
    email: str
    confirmed: bool


def watch_as_person(tx: Transaction, shop: Enterprise, person_id: str) -> None:
    """A person with a confirmed address wants to be told. Asking twice does no harm."""
    person = person_by_id(tx, person_id)
    if person.confirmed_at is None:
        _watch_by_link(tx, shop, person.email, person.language)
        return
    known = tx.first(select(_row.id).where(_row.enterprise_id == shop.id, _row.email == person.email))
    if known is None:
        _insert(tx, shop.id, person.email, person.language, person_id=person_id, confirmed_at=tx.now)
    else:
        values = {"person_id": person_id, "confirmed_at": func.coalesce(_row.confirmed_at, tx.now)}
        tx.execute(update(shop_watch).where(_row.id == known["id"]).values(values))


def watch_as_guest(tx: Transaction, shop: Enterprise, typed: str, language: str) -> None:
    """Mails a link to the address, which confirms the wish; nothing tells whether the address is known already. Raises
    `Invalid`."""
    email = read_email(typed)
    if isinstance(email, Problem):
        raise Invalid([email])
    _watch_by_link(tx, shop, email, language)


def _watch_by_link(tx: Transaction, shop: Enterprise, email: str, language: str) -> None:
    row = tx.first(select(shop_watch).where(_row.enterprise_id == shop.id, _row.email == email))
    if row is not None and (row["confirmed_at"] is not None or row["asked_at"] > tx.now - _AGAIN):
        return
    if row is None:
        watch_id = _insert(tx, shop.id, email, language)
    else:
        watch_id = row["id"]
        tx.execute(update(shop_watch).where(_row.id == watch_id).values(asked_at=tx.now))
    to = Recipient(email=email, name="", language=language)
    link = MailedLink(path="tell/{secret}", purpose=_LINK, subject_id=watch_id)
    mail_people(tx, "shop_watch", [(to, {"shop": shop.name, "path": link})], typed=True)


def _insert(tx: Transaction, enterprise_id: str, email: str, language: str, **values: object) -> str:
    watch_id = tx.new_id()
    row = {"id": watch_id, "enterprise_id": enterprise_id, "email": email, "language": language, "asked_at": tx.now}
    tx.execute(insert(shop_watch), {**row, **values})
    return watch_id


def watch_by_secret(tx: Transaction, secret: str) -> Watch:
    """Raises `NotFound`, also for a wish that was stopped."""
    row = tx.first(select(shop_watch).where(_row.id == subject_of_link(tx, _LINK, secret)))
    if row is None:
        raise NotFound
    return Watch(
        id=row["id"], enterprise_id=row["enterprise_id"], email=row["email"], confirmed=row["confirmed_at"] is not None
    )


def confirm_watch(tx: Transaction, secret: str) -> Watch:
    """Makes the wish count, for whoever has the mailed secret. Raises `NotFound`."""
    watch = watch_by_secret(tx, secret)
    tx.execute(update(shop_watch).where(_row.id == watch.id, _row.confirmed_at.is_(None)).values(confirmed_at=tx.now))
    return watch


def stop_watch(tx: Transaction, secret: str) -> None:
    """Ends the wish; ending it twice does no harm."""
    tx.execute(delete(shop_watch).where(_row.id == subject_of_link(tx, _LINK, secret)))


def stop_watch_of_person(tx: Transaction, person_id: str, enterprise_id: str) -> None:
    tx.execute(delete(shop_watch).where(_row.person_id == person_id, _row.enterprise_id == enterprise_id))


def watched_by(tx: Transaction, person_id: str) -> Sequence[Enterprise]:
    """The hubs of whose sales a person wants to be told, by name."""
    rows = tx.all(select(_row.enterprise_id).where(_row.person_id == person_id, _row.confirmed_at.is_not(None)))
    hubs = enterprises_by_id(tx, [row["enterprise_id"] for row in rows])
    return sorted(hubs.values(), key=lambda hub: hub.name)


# ------------------------------------------------------------------------------------------------ telling


def tell_of_openings(tx: Transaction) -> int:
    """Mails those whose hub has a sale that opened after they asked and after they were last told. Returns how many."""
    waiting = tx.all(select(_row.enterprise_id).distinct().where(_row.confirmed_at.is_not(None)))
    mailed = 0
    for row in waiting:
        for sale in sales(tx, openness="open", shop_id=row["enterprise_id"]):
            mailed += _tell(tx, sale, _AT_ONCE - mailed)
    return mailed


def _tell(tx: Transaction, sale: Sale, most: int) -> int:
    opened_at, shop = sale.session.opens_at, sale.shop
    conditions = (
        _row.enterprise_id == shop.id,
        _row.confirmed_at < opened_at,
        or_(_row.told_at.is_(None), _row.told_at < opened_at),
    )
    rows = tx.all(select(shop_watch).where(*conditions).order_by(_row.id).limit(max(0, most)))
    if not rows:
        return 0
    tx.execute(update(shop_watch).where(_row.id.in_([row["id"] for row in rows])).values(told_at=tx.now))
    mails = []
    for row in rows:
        to = Recipient(email=row["email"], name="", language=row["language"])
        values = {
            "shop": shop.name,
            "sale": title_of(row["language"], sale).text,
            "closes": format_moment(sale.session.closes_at, shop.timezone, row["language"]),
            "path": f"sales/{sale.session.id}",
            "stop_path": MailedLink(path="tell/{secret}/stop", purpose=_LINK, subject_id=row["id"]),
        }
        mails.append((to, values))
    mail_people(tx, "shop_sale_open", mails)
    return len(rows)


def forget_unconfirmed(tx: Transaction) -> int:
    """Deletes wishes that nobody has confirmed. Returns their number."""
    unconfirmed = (_row.confirmed_at.is_(None), _row.asked_at < tx.now - _UNCONFIRMED)
    return tx.execute(delete(shop_watch).where(*unconfirmed)).rowcount


@hookimpl
def jobs() -> Work:
    return Work(
        {},
        (
            Periodic("shop.openings", timedelta(minutes=1), tell_of_openings),
            Periodic("shop.unconfirmed", timedelta(days=1), forget_unconfirmed, irreversible=True),
        ),
    )


@hookimpl
def person_data(tx: Transaction, person: DataSubject) -> Sequence[KeptRows]:
    """The wishes of the address, also those without an account."""
    columns = [_row[name] for name in ("enterprise_id", "email", "language", "asked_at", "confirmed_at", "told_at")]
    rows = tx.all(select(*columns).where(_row.email == person.email).order_by(_row.id))
    return [KeptRows(name="watch", rows=[dict(row) for row in rows])] if rows else []


@hookimpl
def erase_person(tx: Transaction, person: DataSubject) -> None:
    tx.execute(delete(shop_watch).where(_row.email == person.email))
    if person.person_id is not None:
        tx.execute(delete(shop_watch).where(_row.person_id == person.person_id))
        tx.execute(delete(shop_favourite).where(shop_favourite.c.person_id == person.person_id))
