"""Keys change: the one that stands by is used, a new one is made known, one is revoked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from sqlalchemy import insert, update

from commensal import Conflict, NotFound, Transaction

from ..signing import SigningKey
from .begin import row_of
from .files import folder_of, make_or_read
from .key_set import sign_key_set
from .keys import Key, key_iri, our_keys, root_key
from .tables import federation_key

if TYPE_CHECKING:
    from ..runtime import Federation

KNOWN_BEFORE = timedelta(days=7)  # a key is known to others so long before it signs: they look once a week at least
BELIEVED_AFTER = timedelta(days=60)  # an old key counts on: what it signed may wait for a peer that is away

Reason = Literal["stolen", "lost", "replaced"]


def rotate(federation: Federation, tx: Transaction, *, at_once: bool = False, root: SigningKey | None = None) -> Key:
    """Has the key that stands by used from the day on which all know it; `at_once` from now. Returns that key.

    With the root key, given or on this machine, the next key is made known too. Raises `Conflict` without it, unless
    `at_once` and a key stands by; and where a rotation is under way.
    """
    root = _checked_root(federation, tx, root)
    keys = our_keys(tx)
    coming = [one for one in keys if one.used_from is not None and one.used_from > tx.now and one.live(tx.now)]
    if coming and not at_once:
        raise Conflict("rotating", "The key {name} is going to be used already.", name=coming[0].name)
    if root is None and not at_once:
        raise _root_needed()
    key = (coming or _standing_by(keys, tx) or [_made(federation, tx, keys, root)])[0]
    _use(tx, key, tx.now if at_once else max(tx.now, key.created_at + KNOWN_BEFORE))
    if root is not None:
        renew_key_set(federation, tx, root=root)
    return _named(tx, key.name)


def revoke(
    federation: Federation, tx: Transaction, name: str, reason: Reason, *, root: SigningKey | None = None
) -> Key:
    """Ends a key now: nothing that it signed and that comes from now on is believed, whatever moment it claims.

    If it was in use, the key that stands by takes its place at once, or else the one before it, or else a new one, for
    which the root key must be there. Raises `NotFound`, and `Conflict` for a key that is revoked already.
    """
    root = _checked_root(federation, tx, root)
    table = federation_key
    found = tx.execute(
        update(table)
        .where(table.c.name == name, table.c.kind == "signing", table.c.revoked_at.is_(None))
        .values(revoked_at=tx.now, reason=reason)
    )
    if not found.rowcount:
        _named(tx, name)
        raise Conflict("revoked", "The key {name} cannot be revoked again.", name=name)
    _succeed(federation, tx, _named(tx, name), root)
    if root is not None:
        renew_key_set(federation, tx, root=root)
    return _named(tx, name)


def _succeed(federation: Federation, tx: Transaction, revoked: Key, root: SigningKey | None) -> None:
    keys = our_keys(tx)
    used = [one for one in keys if one.kind == "signing" and one.live(tx.now) and one.in_use(tx.now)]
    newer = [one for one in used if revoked.used_from is None or _since(one) > revoked.used_from]
    if newer or (used and revoked.used_from is None):
        return
    if successors := _standing_by(keys, tx):
        _use(tx, successors[0], tx.now)
    elif not used:
        _use(tx, _made(federation, tx, keys, root), tx.now)


def renew_key_set(federation: Federation, tx: Transaction, *, root: SigningKey | None = None) -> None:
    """Makes known that older keys come to an end, and the key that stands by; makes one where there is none."""
    root = _checked_root(federation, tx, root)
    if root is None:
        raise _root_needed()
    keys = our_keys(tx)
    if not _standing_by(keys, tx):
        _made(federation, tx, keys, root)
    used = sorted((one for one in keys if one.used_from is not None and one.live(tx.now)), key=_since)
    for older, newer in pairwise(used):
        if older.ends_at is None:
            tx.execute(
                update(federation_key)
                .where(federation_key.c.name == older.name, federation_key.c.ends_at.is_(None))
                .values(ends_at=_since(newer) + BELIEVED_AFTER)
            )
    sign_key_set(federation, tx, root)


def _since(key: Key) -> datetime:
    assert key.used_from is not None
    return key.used_from


def _standing_by(keys: Sequence[Key], tx: Transaction) -> list[Key]:
    return [one for one in keys if one.kind == "signing" and one.used_from is None and one.live(tx.now)]


def _made(federation: Federation, tx: Transaction, keys: Sequence[Key], root: SigningKey | None) -> Key:
    """A new key that stands by. The root key must make it known, or nobody would believe it."""
    if root is None:
        raise _root_needed()
    name = f"k{len(keys)}"  # the root is one of them
    key = make_or_read(folder_of(federation.instance.folder), name, key_iri(federation, name))
    tx.execute(insert(federation_key).values(row_of(tx, name, key)))
    return _named(tx, name)


def _use(tx: Transaction, key: Key, since: datetime) -> None:
    tx.execute(update(federation_key).where(federation_key.c.name == key.name).values(used_from=since))


def _named(tx: Transaction, name: str) -> Key:
    found = [one for one in our_keys(tx) if one.name == name and one.kind == "signing"]
    if not found:
        raise NotFound("no_such_key", "There is no key {name}.", name=name)
    return found[0]


def _checked_root(federation: Federation, tx: Transaction, given: SigningKey | None) -> SigningKey | None:
    """The root key that was given, or that lies on this machine. Raises `Conflict` for another one."""
    if given is None:
        return root_key(federation, tx)
    if given.public.multikey != our_keys(tx)[0].multikey:
        raise Conflict("other_root", "This is not the root key of this instance.")
    return given


def _root_needed() -> Conflict:
    text = "The root key is not on this machine; `commensal federation keys` asks for it."
    return Conflict("root_needed", text)
