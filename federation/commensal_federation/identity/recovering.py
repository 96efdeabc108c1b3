"""A way out when files of our keys are lost: new keys, with the root key or with a new identity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import update

from commensal import Conflict, Transaction

from ..signing import SigningKey
from .keys import Key, file_of, folder_of, key_iri, make_or_read, our_keys, read_key
from .rotation import renew_key_set, replace_key_in_use, verified_root
from .tables import federation_key

if TYPE_CHECKING:
    from ..runtime import Federation


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
