"""The reference of a transfer: an order's number as a creditor reference (ISO 11649) with check digits.

Order 1024 is ``RF96 1024``: a wrong or missing digit is detected, so a transfer is never booked for another order.
Blanks and lower case do not matter.
"""

from __future__ import annotations

import re

from stdnum.iso7064 import mod_97_10

_LONGEST = 25  # characters (ISO 11649)
_RF = 2715  # the letters as ISO 7064 counts them; a statement may have a million references, which stdnum reads slowly
# "RF" with two check digits, then the number, perhaps in groups. A payer may write text around it.
_REFERENCE = re.compile(r"(?<![A-Z0-9])RF\s?\d{2}[\s\d]{1,25}")


def reference_of(order_number: int) -> str:
    """Returns the reference of an order in print format, with a blank after the check digits."""
    check = mod_97_10.calc_check_digits(f"{order_number}RF")
    return f"RF{check} {order_number}"


def order_numbers_in(text: str) -> set[int]:
    """Returns the order numbers in the valid references of this text.

    Digits that follow a blank may belong to something else (a date, an amount), so a reference may end at any blank. If
    two possible ends are valid, both numbers are returned, and a person must decide.
    """
    numbers = set()
    for match in _REFERENCE.finditer(text.upper()):
        reference = ""
        for group in match.group().split():
            reference += group
            if 4 < len(reference) <= _LONGEST and int(f"{reference[4:]}{_RF}{reference[2:4]}") % 97 == 1:
                numbers.add(int(reference[4:]))
    return numbers
