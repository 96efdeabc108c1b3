"""The hash chain of a journal, defined to the byte, so that anybody can check an export with a short script.

The hash of an entry is the SHA-256, in lower-case hexadecimal, of a JSON object in UTF-8 with exactly the members
of `MEMBERS`, in that (alphabetical) order and without white space, as in RFC 8785:

    {"amount":1250,"at":"2026-06-04T10:00:00.000000Z","corrects":null,"currency":"EUR","enterprise_id":"…",
     "kind":"payment","method":"cash:cash","order_id":"…","order_number":12,"payment_id":"…","person_id":"…",
     "previous_hash":"…","sequence":7}

(here broken into three lines). Numbers are integers, moments are UTC with six decimals, absent values are null. The
`previous_hash` of the first entry is sixty-four zeros.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

from .values import JournalEntry

FIRST = "0" * 64
MEMBERS = (
    "amount",
    "at",
    "corrects",
    "currency",
    "enterprise_id",
    "kind",
    "method",
    "order_id",
    "order_number",
    "payment_id",
    "person_id",
    "previous_hash",
    "sequence",
)


def hash_of(entry: JournalEntry) -> str:
    """Returns the hash that the entry must have; its own `hash` is ignored."""
    members = {name: getattr(entry, name) for name in MEMBERS} | {"at": moment(entry.at)}
    text = json.dumps(members, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def moment(at: datetime) -> str:
    """Returns a moment as entries write it: UTC, six decimals, Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
