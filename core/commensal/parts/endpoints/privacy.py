"""Export and erasure of one's own data (GDPR, articles 15, 17 and 20) over the API."""

from __future__ import annotations

from typing import Annotated

import msgspec

from ...api.authenticate import prove_own_password
from ...api.endpoint import Body, Call, File, Routes
from ...enterprises.access import demand_session
from ..privacy import export
from ..privacy.personal_rows import Forgotten

routes = Routes("privacy")


class Farewell(Body, frozen=True, kw_only=True):
    """The password, once more: nobody shall be forgotten by who finds their browser open."""

    password: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


def _make_archive(call: Call) -> bytes:
    """Makes the archive before the write transaction: it only reads, and must not hold up others."""
    demand_session(call.actor)
    return export.my_archive(call.tx, call.instance, call.person_id, call.language)


@routes.post("/me/export", scope="self", limit="logins", keeps=False, prepare=_make_archive)
def export_me(call: Call) -> File:
    """Everything that this instance keeps of me, over all enterprises, as a zip file of JSON and CSV. A token is not
    enough for this."""
    call.tx.trace("exported", "person", call.person_id)
    return File(call.prepared, "application/zip", "my-data.zip")


@routes.post("/me/erasure", scope="self", limit="logins", keeps=False, proves=prove_own_password)
def forget_me(call: Call, body: Farewell) -> Forgotten:
    """Forgets me, for good. What accounts must keep stays under a pseudonym. Refused while an order is not settled.
    A token is not enough for this."""
    return export.forget_me(call.tx, call.instance, call.person_id)
