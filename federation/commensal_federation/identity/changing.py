"""Keys change: the one that stands by is used, a new one is made known, one is revoked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from sqlalchemy import insert, select, update

from commensal import Conflict, NotFound, Transaction

from ..signing import SigningKey
from .begin import row_of
from .files import folder_of, make_or_read
from .key_set import sign_key_set
from .keys import Key, key_iri, no_key, our_keys, root_key, signing_now
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
    waiting = _waiting(keys, tx)
    if not at_once:
        if root is None:
            raise _root_needed()
        if waiting and waiting[0].used_from is not None:
            raise Conflict("rotating", "The key {name} is going to be used already.", name=waiting[0].name)
    key = waiting[0] if waiting else _made(federation, tx, keys, root)
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
    signing = signing_now(our_keys(tx), tx.now)
    table = federation_key
    found = tx.execute(
        update(table)
        .where(table.c.name == name, table.c.kind == "signing", table.c.revoked_at.is_(None))
        .values(revoked_at=tx.now, reason=reason)
    )
    key = _named(tx, name)
    if not found.rowcount:
        raise Conflict("revoked", "The key {name} is revoked already.", name=name)
    if signing is not None and signing.name == name:
        _succeed(federation, tx, root)
    if root is not None:
        renew_key_set(federation, tx, root=root)
    return key


def _succeed(federation: Federation, tx: Transaction, root: SigningKey | None) -> None:
    keys = our_keys(tx)
    if waiting := _waiting(keys, tx):
        _use(tx, waiting[0], tx.now)
    elif signing_now(keys, tx.now) is None:
        _use(tx, _made(federation, tx, keys, root), tx.now)


def renew_key_set(federation: Federation, tx: Transaction, *, root: SigningKey | None = None) -> None:
    """Makes known that older keys come to an end, and the key that stands by; makes one where there is none."""
    root = _checked_root(federation, tx, root)
    if root is None:
        raise _root_needed()
    keys = our_keys(tx)
    if not any(one.used_from is None for one in _waiting(keys, tx)):
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


def _waiting(keys: Sequence[Key], tx: Transaction) -> list[Key]:
    """Keys that are known and do not sign yet; the one that is known for longest first."""
    return [one for one in keys if one.kind == "signing" and one.live(tx.now) and not one.in_use(tx.now)]


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
    """The root key that was given, or that lies on this machine. Raises `Conflict` for another one.

    Whoever changes keys holds its row to the end, so that two at once come one after the other.
    """
    table = federation_key
    multikey = tx.value(select(table.c.multikey).where(table.c.name == "root").with_for_update())
    if multikey is None:
        raise no_key()
    if given is None:
        return root_key(federation, tx)
    if given.public.multikey != multikey:
        raise Conflict("other_root", "This is not the root key of this instance.")
    return given


def _root_needed() -> Conflict:
    text = "The root key is not on this machine: `commensal federation keys` asks for it with --root."
    return Conflict("root_needed", text)
