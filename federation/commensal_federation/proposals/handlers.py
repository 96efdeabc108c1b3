"""What messages about proposed sales do here."""

from __future__ import annotations

from commensal import Transaction

from ..messages import Handler, MessageType, Received
from ..messages.proposals import SALE_ANSWER, SALE_PROPOSAL, SaleAnswer, SaleProposal
from ..runtime import Federation
from .proposing import take_sale_answer
from .receiving import take_proposal


def handle_sale_proposal(federation: Federation, tx: Transaction, received: Received[SaleProposal]) -> None:
    """Shows the proposed sale to the hub, which accepts or declines it."""
    take_proposal(federation, tx, received.peer, received.body)


def handle_sale_answer(federation: Federation, tx: Transaction, received: Received[SaleAnswer]) -> None:
    """Notes whether the hub holds the sale that a producer of ours proposed."""
    take_sale_answer(federation, tx, received.peer, received.body)


HANDLERS: dict[MessageType, Handler] = {
    SALE_PROPOSAL: Handler(handle_sale_proposal),
    SALE_ANSWER: Handler(handle_sale_answer),
}
