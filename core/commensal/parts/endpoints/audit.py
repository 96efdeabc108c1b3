"""The audit trail of an enterprise, for those who manage it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from ...api.endpoint import Call, Page, Paging, Routes, page_of
from ...audit.trail import AuditEntry, AuditFilter, audit_entries

routes = Routes("audit")

Id = Annotated[str, msgspec.Meta(max_length=300)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class AuditQuery(Paging, frozen=True, kw_only=True):
    """Entries that are all of this: of one person, about one kind of object (like `offer`) or one object, from `since`
    on, from before `until`. `after` is the id of the last one that was seen."""

    person: Id = ""
    kind: Id = ""
    object: Id = ""
    since: Moment | None = None
    until: Moment | None = None


@routes.get("/enterprises/{enterprise}/audit", scope="audit:read")
def audit_trail(call: Call, enterprise: str, query: AuditQuery) -> Page[AuditEntry]:
    """Who changed what at the enterprise, the newest first. What is personal or secret reads "***"."""
    criteria = AuditFilter(
        enterprise_id=enterprise,
        person_id=query.person,
        object_kind=query.kind,
        object_id=query.object,
        since=query.since,
        until=query.until,
        after=query.after,
    )
    return page_of(audit_entries(call.tx, criteria, query.limit), query.limit, lambda entry: entry.id)
