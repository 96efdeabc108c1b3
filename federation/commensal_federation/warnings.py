"""Warnings of the rooms for ``commensal check``; each says what to do."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from commensal import (
    Conflict,
    Instance,
    PageLine,
    PagePart,
    PaymentHold,
    Problem,
    Transaction,
    enterprise_by_id,
    format_moment,
    hookimpl,
    translate,
)

from .identity.keys import Key, file_of, folder_of, key_in_use, key_iri, our_keys, read_key
from .linked_catalogues.backorders.sums import backorder_warnings, platform_differences_at, recent_platform_differences
from .linked_catalogues.work import link_warnings
from .moving.work import recovery_warnings
from .office.orders_elsewhere import (
    coming_lines,
    difference_lines,
    disputed_lines,
    order_lines,
    owed_lines,
    waiting_lines,
)
from .office.prices_elsewhere import price_lines
from .office.producers_elsewhere import offer_lines
from .orders.statement import differences_at, recent_differences
from .peering.alarms import peer_conditions, peer_warnings, silent_peers
from .runtime import federation_of

if TYPE_CHECKING:
    from .runtime import Federation

ROTATED = timedelta(days=365)  # in use; then a key should be rotated
TAKEN_AWAY = timedelta(days=7)  # that the root key may stay on this machine
SOON = timedelta(days=30)  # before a key ends


@hookimpl
def warnings(instance: Instance) -> Sequence[Problem]:
    federation = federation_of(instance)
    with instance.store.read() as tx:
        return [
            *key_warnings(federation, tx),
            *backorder_warnings(tx),
            *link_warnings(tx),
            *recovery_warnings(federation, tx),
            *peer_warnings(tx),
            *(each.problem for each in (*recent_differences(tx), *recent_platform_differences(tx))),
        ]


@hookimpl
def payment_holds(tx: Transaction, enterprise_id: str, session_id: str) -> Sequence[PaymentHold]:
    sale = (tx, enterprise_id, session_id)
    return [each.hold for each in (*differences_at(*sale), *platform_differences_at(*sale))]


@hookimpl
def health_reasons(tx: Transaction, instance: Instance) -> Sequence[Problem]:
    return [*peer_conditions(tx), *unreadable_keys(federation_of(instance), tx)]


def unreadable_keys(federation: Federation, tx: Transaction) -> Iterator[Problem]:
    """A problem for each key whose file is lost or wrong, except the root key, which should be kept elsewhere."""
    folder = folder_of(federation.instance.folder)
    for key in our_keys(tx):
        if key.live(tx.now) and key.kind != "root":
            try:
                read_key(folder, key.name, key_iri(federation, key.name), key.multikey)
            except Conflict as error:
                yield Problem(error.code, error.text, values=error.values)


@hookimpl
def page_parts(
    tx: Transaction, page: str, enterprise_id: str, scopes: frozenset[str], language: str, subject: str
) -> Sequence[PagePart]:
    """On the week: neighbours that do not answer, and what producers elsewhere offer and propose. There, and on what a
    producer brings: orders of hubs elsewhere. Where goods are received: what producers elsewhere bring; where suppliers
    are paid: what their statements say."""
    if page == "suppliers":
        title = translate(language, "Producers elsewhere")
        lines = [*difference_lines(tx, enterprise_id, subject, language), *owed_lines(tx, subject, language)]
        return [PagePart(title=title, lines=lines, position=200)]
    if page == "receive":
        title = translate(language, "Producers elsewhere")
        return [PagePart(title=title, lines=coming_lines(tx, subject, language), position=200)]
    if page not in ("week", "bring"):
        return []
    answers = "orders:write" in scopes
    title = translate(language, "The link with the others")
    if page == "bring":
        lines = order_lines(tx, enterprise_id, language) if answers else []
        return [PagePart(title=title, lines=lines, position=200)]
    zone = enterprise_by_id(tx, enterprise_id).timezone
    text = translate(language, "Does not answer since {moment}. You sell what is held here; orders wait and are sent.")
    lines = [
        PageLine(text=name, detail=text.format(moment=format_moment(since, zone, language)), urgent=True)
        for name, since in silent_peers(tx)
    ]
    if "grants:read" in scopes:
        lines += offer_lines(tx, enterprise_id, language)
        lines += price_lines(tx, enterprise_id, language)
    if answers:
        lines += waiting_lines(tx, enterprise_id, language) + disputed_lines(tx, enterprise_id, language)
    return [PagePart(title=title, lines=lines, position=200)]


def key_warnings(federation: Federation, tx: Transaction) -> Iterator[Problem]:
    """Warnings about the age, the end and the files of our keys."""
    keys = our_keys(tx)
    signing = key_in_use(keys, tx.now)
    if signing is None:
        if any(key.used_from is not None and key.used_from > tx.now for key in keys):
            return  # the clock is behind, of which the core tells: new keys would be wrong
        text = "The federation has no key to sign with; run `commensal keys init`, or `keys rotate --now`."
        yield Problem("no_key", text)
        return
    yield from _ages(keys, signing, tx)
    yield from _files(federation, [key for key in keys if key.live(tx.now)], tx)


def _ages(keys: list[Key], signing: Key, tx: Transaction) -> Iterator[Problem]:
    has_standby = any(key.kind == "signing" and key.live(tx.now) and not key.in_use(tx.now) for key in keys)
    if signing.used_from is not None and tx.now - signing.used_from > ROTATED:
        text = "The key {name} has been in use since {since:%Y-%m-%d}; run `commensal keys rotate`."
        yield Problem("old_key", text, values={"name": signing.name, "since": signing.used_from})
    if signing.ends_at is not None and signing.ends_at - tx.now < SOON and not has_standby:
        text = "The key {name} ends on {end:%Y-%m-%d} and no other is known to peers; run `commensal keys root sign`."
        yield Problem("key_ends", text, values={"name": signing.name, "end": signing.ends_at})
    if not has_standby:
        text = "No key stands by for when the one in use is lost; run `commensal keys root sign`."
        yield Problem("no_next_key", text)


def _files(federation: Federation, keys: list[Key], tx: Transaction) -> Iterator[Problem]:
    folder = folder_of(federation.instance.folder)
    for key in keys:
        file = file_of(folder, key.name)
        if key.kind == "root" and not os.path.exists(file):  # False too where the folder may not be looked into
            continue
        try:
            read_key(folder, key.name, key_iri(federation, key.name), key.multikey)
        except Conflict as error:
            yield Problem(error.code, error.text, values=error.values)
            continue
        if file.stat().st_mode & 0o077:
            text = "{file} can be read by others on this machine; run `chmod 600 {file}`, and consider a rotation."
            yield Problem("open_key", text, values={"file": file})
        if key.kind == "root" and tx.now - key.created_at > TAKEN_AWAY:
            text = (
                "The root key still lies in {file}: whoever breaks in here could speak for this instance for ever; "
                "run `commensal keys root export --remove`."
            )
            yield Problem("root_key", text, values={"file": file})
