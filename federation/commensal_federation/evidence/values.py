"""The parts of an evidence file, and what a verified one shows."""

from __future__ import annotations

from dataclasses import dataclass

from ..provenance.signers import Bound

LARGEST = 32 * 1024 * 1024  # bytes of a file


class BadEvidence(Exception):
    """The file is not what the exporter has signed, or a part of it is not proved. `part` names the part."""

    def __init__(self, part: str, text: str) -> None:
        super().__init__(f"{part}: {text}")
        self.part, self.text = part, text


@dataclass(frozen=True, kw_only=True)
class ProvedSigner:
    """An instance by whose keys something in the file is signed.

    fingerprint: of its root key, to be compared with the instance itself: the file alone cannot show whose key it is
    bound:       how the exporter says that it knew the key as the instance's: it is the exporter itself ("own"), two
                 operators had compared the fingerprint ("peer"), or it was fetched from the address ("fetched")
    """

    iri: str
    fingerprint: str
    bound: Bound


@dataclass(frozen=True, kw_only=True)
class ProvedLine:
    """A line as the buyer signed it, with what the sellers had signed of it.

    ordered, confirmed: pieces; confirmed is None where the supplier has not answered
    price:              of one piece, in minor units of the order's currency
    stated:             whether the supplier had signed this price for this item
    producer:           the IRI of the first seller whose statement is proved; empty where none is
    producer_price:     minor units of `producer_currency`, that the producer asked of the first hand
    """

    item: str
    name: str
    ordered: int
    confirmed: int | None
    price: int
    stated: bool
    producer: str
    producer_name: str
    producer_price: int | None
    producer_currency: str


@dataclass(frozen=True, kw_only=True)
class ProvedOrder:
    """What a verified file shows. `answer` is the number of the supplier's last answer; None if it has not answered."""

    exporter: str
    order: str
    state: str
    rev: int
    answer: int | None
    buyer: str
    supplier: str
    currency: str
    lines: tuple[ProvedLine, ...]
    signers: tuple[ProvedSigner, ...]
