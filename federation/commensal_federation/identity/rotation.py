"""Changes our keys: puts the standby key to use, publishes a new one, revokes one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from sqlalchemy import insert, select, update

from commensal import Conflict, NotFound, Transaction, insert_once, insert_rows

from ..signing import SigningKey
from .keys import (
    Key,
    NoKey,
    file_of,
    folder_of,
    key_in_use,
    key_iri,
    make_or_read,
    our_keys,
    read_key,
    root_key,
    sign_key_set,
)
from .tables import federation_key

if TYPE_CHECKING:
    from ..runtime import Federation


# Creates the identity at the first start: a root key, a signing key and a standby key.


def begin_identity(federation: Federation) -> bool:
    """Makes the keys of this instance if it has none; returns whether it made them. Not inside a transaction."""
    with federation.instance.store.read() as tx:
        if tx.first(select(federation_key.c.name).limit(1)) is not None:
            return False
    folder = folder_of(federation.instance.folder)
    root, first, second = (make_or_read(folder, name, key_iri(federation, name)) for name in ("root", "k1", "k2"))

    def store_keys(tx: Transaction) -> bool:
        if not insert_once(tx, federation_key, key_row(tx, "root", root)):
            return False
        insert_rows(tx, federation_key, [{**key_row(tx, "k1", first), "used_from": tx.now}, key_row(tx, "k2", second)])
        sign_key_set(federation, tx, root)
        return True

    return federation.instance.store.transact(store_keys)


def key_row(tx: Transaction, name: str, key: SigningKey) -> dict[str, object]:
    return {
        "name": name,
        "kind": "root" if name == "root" else "signing",
        "multikey": key.public.multikey,
        "created_at": tx.now,
        "used_from": None,
        "ends_at": None,
        "revoked_at": None,
        "reason": "",
    }


PUBLISHED_BEFORE_USE = timedelta(days=7)  # before a key signs: peers fetch our document at least once a week
VALID_AFTER_USE = timedelta(days=60)  # after the next key took over: messages may wait for an absent peer

Reason = Literal["stolen", "lost", "replaced"]


def rotate(federation: Federation, tx: Transaction, *, at_once: bool = False, root: SigningKey | None = None) -> Key:
    """Schedules the standby key for use as soon as all peers know it, or uses it `at_once`. Returns that key.

    With the root key, passed or on this machine, it also publishes the next key. Raises `Conflict` without the root
    key, unless `at_once` and there is a standby key, and during another rotation.
    """
    root = verified_root(federation, tx, root)
    keys = our_keys(tx)
    standby = _standby_keys(keys, tx)
    if not at_once:
        if root is None:
            raise _root_needed()
        if standby and standby[0].used_from is not None:
            raise Conflict("rotating", "The key {name} is going to be used already.", name=standby[0].name)
    key = standby[0] if standby else _add_key(federation, tx, keys, root)
    _use_from(tx, key, tx.now if at_once else max(tx.now, key.created_at + PUBLISHED_BEFORE_USE))
    if root is not None:
        renew_key_set(federation, tx, root=root)
    return _signing_key(tx, key.name)


def revoke(
    federation: Federation, tx: Transaction, name: str, reason: Reason, *, root: SigningKey | None = None
) -> Key:
    """Ends a key now: peers reject everything it signed that arrives from now on, whatever time it claims.

    If it was in use, the standby key replaces it at once, else the key before it, else a new one, which needs the root
    key. Raises `NotFound`, and `Conflict` if the key is revoked already or the root key is needed and missing.
    """
    root = verified_root(federation, tx, root)
    signing = key_in_use(our_keys(tx), tx.now)
    table = federation_key
    update_result = tx.execute(
        update(table)
        .where(table.c.name == name, table.c.kind == "signing", table.c.revoked_at.is_(None))
        .values(revoked_at=tx.now, reason=reason)
    )
    key = _signing_key(tx, name)
    if not update_result.rowcount:
        raise Conflict("revoked", "The key {name} is revoked already.", name=name)
    if signing is not None and signing.name == name:
        replace_key_in_use(federation, tx, root)
    if root is not None:
        renew_key_set(federation, tx, root=root)
    return key


def replace_key_in_use(federation: Federation, tx: Transaction, root: SigningKey | None) -> None:
    """Uses the standby key at once, else the key before, else a new one. Raises `Conflict` if that needs the root."""
    keys = our_keys(tx)
    if standby := _standby_keys(keys, tx):
        _use_from(tx, standby[0], tx.now)
    elif key_in_use(keys, tx.now) is None:
        _use_from(tx, _add_key(federation, tx, keys, root), tx.now)


def renew_key_set(federation: Federation, tx: Transaction, *, root: SigningKey | None = None) -> None:
    """Signs a new key set, with an end for older keys and a standby key, which it makes if there is none."""
    root = verified_root(federation, tx, root)
    if root is None:
        raise _root_needed()
    keys = our_keys(tx)
    if not any(key.used_from is None for key in _standby_keys(keys, tx)):
        _add_key(federation, tx, keys, root)
    used = sorted((key for key in keys if key.used_from is not None and key.live(tx.now)), key=_used_from)
    for older, newer in pairwise(used):
        if older.ends_at is None:
            tx.execute(
                update(federation_key)
                .where(federation_key.c.name == older.name, federation_key.c.ends_at.is_(None))
                .values(ends_at=_used_from(newer) + VALID_AFTER_USE)
            )
    sign_key_set(federation, tx, root)


def _used_from(key: Key) -> datetime:
    assert key.used_from is not None
    return key.used_from


def _standby_keys(keys: Sequence[Key], tx: Transaction) -> list[Key]:
    """Live signing keys that do not sign yet, the oldest first."""
    return [key for key in keys if key.kind == "signing" and key.live(tx.now) and not key.in_use(tx.now)]


def _add_key(federation: Federation, tx: Transaction, keys: Sequence[Key], root: SigningKey | None) -> Key:
    """Makes a new standby key. Raises `Conflict` without the root key, since peers trust only keys that it signed."""
    if root is None:
        raise _root_needed()
    name = f"k{len(keys)}"  # the root key counts too, so the first is k1
    key = make_or_read(folder_of(federation.instance.folder), name, key_iri(federation, name))
    tx.execute(insert(federation_key).values(key_row(tx, name, key)))
    return _signing_key(tx, name)


def _use_from(tx: Transaction, key: Key, since: datetime) -> None:
    tx.execute(update(federation_key).where(federation_key.c.name == key.name).values(used_from=since))


def _signing_key(tx: Transaction, name: str) -> Key:
    matches = [key for key in our_keys(tx) if key.name == name and key.kind == "signing"]
    if not matches:
        raise NotFound("no_such_key", "There is no key {name}.", name=name)
    return matches[0]


def verified_root(federation: Federation, tx: Transaction, root: SigningKey | None) -> SigningKey | None:
    """The root key that was passed, else the one on this machine, else None. Raises `Conflict` for another key.

    Locks its row until the end of the transaction, so two changes of keys at once run one after the other.
    """
    table = federation_key
    multikey = tx.value(select(table.c.multikey).where(table.c.name == "root").with_for_update())
    if multikey is None:
        raise NoKey
    if root is None:
        return root_key(federation, tx)
    if root.public.multikey != multikey:
        raise Conflict("other_root", "This is not the root key of this instance.")
    return root


def _root_needed() -> Conflict:
    text = "The root key is not on this machine: `commensal keys` asks for it with --root."
    return Conflict("root_needed", text)


# A way out when files of our keys are lost: new keys, with the root key or with a new identity.


def recover_keys(federation: Federation, tx: Transaction, *, root: SigningKey | None = None) -> Sequence[str]:
    """Revokes the signing keys whose files are lost, and makes new ones, which the root key signs.

    Peers follow the new keys by themselves. What a lost key signed and peers have not read yet is lost. Returns the
    names of the lost keys. Raises `Conflict` if no file is lost, or the root key is neither passed nor on this machine.
    """
    root = verified_root(federation, tx, root)
    lost = lost_keys(federation, tx)
    if not lost:
        raise Conflict("no_key_lost", "All files of the keys are there; nothing was changed.")
    _revoke(tx, lost)
    replace_key_in_use(federation, tx, root)
    renew_key_set(federation, tx, root=root)
    return lost


def begin_new_identity(federation: Federation, tx: Transaction) -> Sequence[str]:
    """Makes a new root key and new signing keys, where the root key is lost too. Returns the names of the lost keys.

    To its peers this looks like somebody who took over the address: each suspends this instance until its operator has
    compared the new fingerprint and confirms it. Raises `Conflict` while the root key is on this machine, and if no
    signing key is lost.
    """
    folder = folder_of(federation.instance.folder)
    if file_of(folder, "root").exists():
        raise Conflict(
            "root_here", "The root key is on this machine: run `commensal keys recover` without a new identity."
        )
    lost = lost_keys(federation, tx)
    if not lost:
        raise Conflict("no_key_lost", "All files of the keys are there; nothing was changed.")
    _revoke(tx, [key.name for key in our_keys(tx) if key.kind == "signing" and key.live(tx.now)])
    root = make_or_read(folder, "root", key_iri(federation, "root"))
    is_root = federation_key.c.name == "root"
    tx.execute(update(federation_key).where(is_root).values(multikey=root.public.multikey, created_at=tx.now))
    replace_key_in_use(federation, tx, root)
    renew_key_set(federation, tx, root=root)
    return lost


def lost_keys(federation: Federation, tx: Transaction) -> Sequence[str]:
    """Names of live signing keys whose file is missing, or holds no key or another one."""
    return [
        key.name for key in our_keys(tx) if key.kind == "signing" and key.live(tx.now) and _is_lost(federation, key)
    ]


def _is_lost(federation: Federation, key: Key) -> bool:
    """A file that only cannot be read is not lost: the error says what to do."""
    try:
        read_key(folder_of(federation.instance.folder), key.name, key_iri(federation, key.name), key.multikey)
    except Conflict as error:
        if error.code != "key_file":
            raise
        return True
    return False


def _revoke(tx: Transaction, names: Sequence[str]) -> None:
    table = federation_key.c
    tx.execute(update(federation_key).where(table.name.in_(names)).values(revoked_at=tx.now, reason="lost"))
