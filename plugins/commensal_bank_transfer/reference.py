"""The reference that a transfer carries: an order's number as a creditor reference (ISO 11649), which checks itself.

Order 1024 is ``RF96 1024``: a digit that was mistyped or left out is noticed, so a transfer is never booked for another
order. Blanks and small letters do not matter.
"""

from __future__ import annotations

import re

from stdnum import iso11649
from stdnum.iso7064 import mod_97_10

# "RF" with two check digits, then the number, perhaps in groups. A payer may write text around it.
_PLACE = re.compile(r"(?<![A-Z0-9])RF\s?\d{2}[\s\d]{1,25}")


def reference_of(order_number: int) -> str:
    """In print, with a blank after the check digits."""
    check = mod_97_10.calc_check_digits(f"{order_number}RF")
    return f"RF{check} {order_number}"


def order_numbers_in(text: str) -> set[int]:
    """The orders that valid references in this text name.

    Digits that follow a blank may belong to something else (a date, an amount), so a reference may end at any blank. If
    two of its ends check out, both numbers are told, and it is for a person to decide.
    """
    found = set()
    for match in _PLACE.finditer(text.upper()):
        so_far = ""
        for group in match.group().split():
            so_far += group
            if len(so_far) > 4 and iso11649.is_valid(so_far):
                found.add(int(so_far[4:]))
    return found
