"""The settings of a shop: its account, and the format of its bank's CSV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

from stdnum import bic as bic_number
from stdnum import iban as iban_number
from stdnum.exceptions import ValidationError

from commensal import OFFERS_NOTHING, PaidTo, Problem, Unfit, hookimpl

LONGEST_HOLDER = 70  # characters: more do not fit into a transfer (EPC069-12, AT-21)


@dataclass(frozen=True)
class CsvColumns:
    """The headers of a bank's CSV. Empty fields are guessed."""

    date: str = ""
    amount: str = ""
    """One column with signed amounts; or use `credit`."""
    credit: str = ""
    text: str = ""
    """What the payer wrote; the reference is looked for in it."""
    payer: str = ""


@dataclass(frozen=True)
class Settings:
    holder: Annotated[str, PaidTo()] = ""
    """Whose account it is, as the bank writes it."""
    iban: Annotated[str, PaidTo()] = ""
    """ISO 13616, with or without blanks. While it is empty, this way to pay is not offered."""
    bic: Annotated[str, PaidTo()] = ""
    """ISO 9362; needed only for accounts outside the European Economic Area."""
    days: int = 7
    """Within how many days customers are asked to transfer; by the distribution if that is sooner."""
    mail_when_arrived: bool = False
    """Whether customers get an e-mail once their transfer has arrived."""
    csv: CsvColumns = field(default_factory=CsvColumns)

    def __post_init__(self) -> None:
        if self.iban:
            try:
                iban_number.validate(self.iban)
            except ValidationError as error:
                text = "iban: {iban!r} is not an IBAN; please compare it with your statement"
                raise Unfit(text, iban=self.iban) from error
            if not self.holder.strip():
                raise Unfit("holder: say whose account it is")
        if self.bic and not bic_number.is_valid(self.bic):
            raise Unfit("bic: {bic!r} is not a BIC; it has 8 or 11 letters and digits", bic=self.bic)
        if len(self.holder) > LONGEST_HOLDER:
            raise Unfit("holder: at most {most} characters", most=LONGEST_HOLDER)
        if not 1 <= self.days <= 90:
            raise Unfit("days: between 1 and 90")

    @property
    def account(self) -> str:
        """The IBAN without blanks."""
        return str(iban_number.compact(self.iban))


# Checks that the settings are enough to be paid by transfer.


@hookimpl
def check_settings(settings: Settings) -> Sequence[Problem]:
    if settings.iban:
        return []
    text = "Give the IBAN to which customers transfer: without it nobody is offered this way to pay."
    return [Problem(OFFERS_NOTHING, text, "/settings/iban")]
