"""Keeps statements byte for byte: as long as a catalogue or an order names them. Takes back those that this instance
had signed or passed on, and that a restore has forgotten."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from commensal import Row, Transaction, insert_rows

from ..messages.envelope import CONTEXT
from ..messages.offer_statement import OfferStatement, name_of, read_statement
from ..runtime import Federation
from ..signing import BadProof, verify
from .signers import Signer, keep_signer, signer_of
from .tables import federation_statement

_BY_NAME = (
    select(federation_statement)
    .where(federation_statement.c.name.in_(bindparam("names", expanding=True)))
    .order_by(federation_statement.c.name)
)


@dataclass(frozen=True)
class VerifiedStatement:
    """A statement as it was signed, its content, and the instance by whose keys it was verified."""

    signed: str
    content: OfferStatement
    signer: Signer

    @property
    def name(self) -> str:
        return name_of(self.signed)


def keep_statements(tx: Transaction, statements: Iterable[VerifiedStatement]) -> None:
    """Keeps those statements that are not kept yet."""
    new = {statement.name: statement for statement in statements}
    for name in _rows(tx, new):
        del new[name]
    signers = {entry.content.actor: entry.signer for entry in new.values()}
    versions = {actor: keep_signer(tx, signer) for actor, signer in signers.items()}
    rows = [
        {
            "name": name,
            "text": entry.signed,
            "actor": entry.content.actor,
            "key_version": versions[entry.content.actor],
            "origin": entry.content.origin,
            "item_iri": entry.content.item,
            "rev": entry.content.rev,
            "verified_at": tx.now,
        }
        for name, entry in new.items()
    ]
    insert_rows(tx, federation_statement, rows)


def statements_by_name(tx: Transaction, names: Collection[str]) -> Mapping[str, Row]:
    """Returns the rows of these statements, and of the producers' statements that they are based on, by name."""
    rows = _rows(tx, names)
    return rows | _rows(tx, {row["origin"] for row in rows.values()} - rows.keys())


def _rows(tx: Transaction, names: Collection[str]) -> dict[str, Row]:
    known = sorted(set(names) - {""})
    return {row["name"]: row for row in tx.all(_BY_NAME, {"names": known})} if known else {}


def recover_statements(federation: Federation, tx: Transaction, texts: Iterable[str]) -> None:
    """Keeps those whose signers are known here. They come with messages that this instance has signed itself."""
    verified = []
    for signed in filter(None, texts):
        content, document = read_statement(signed)
        signer = signer_of(federation, tx, content.actor)
        if signer is None:
            continue
        try:
            verify(document, signer.keys, tx.now, context=CONTEXT)
        except BadProof:  # by a key that has ended since
            continue
        verified.append(VerifiedStatement(signed, content, signer))
    keep_statements(tx, verified)
