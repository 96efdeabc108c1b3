"""Takes back statements that this instance had signed or passed on, and that a restore has forgotten."""

from __future__ import annotations

from collections.abc import Iterable

from commensal import Transaction

from ..messages.envelope import CONTEXT
from ..messages.offer_statement import read_statement
from ..runtime import Federation
from ..signing import BadProof, verify
from .signers import signer_of
from .stored import VerifiedStatement, keep_statements


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
