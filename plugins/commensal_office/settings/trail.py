"""Who changed what when: the audit trail, by person, thing and day, for managers of an enterprise and for operators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from starlette.responses import Response

from commensal import NotFound, Refused, Transaction, demand, enterprises_by_id, translate
from commensal.audit import AuditEntry, AuditFilter, audit_entries
from commensal.enterprises import list_members, list_roles
from commensal.pages import NO_MISTAKES, Mistakes, Visit, day_field, mistakes, status_of
from commensal.people import person_by_email

from ..frame.desk import Desk, open_desk
from ..frame.render import show

_SHOWN = 50
_LONGEST = 80  # characters of a value that are shown


@dataclass(frozen=True, kw_only=True)
class TrailLine:
    """An entry in words. `changes` are a field with its values before and after, as the database has them."""

    at: datetime
    who: str
    what: str
    thing: str
    command: str
    where: str
    url: str
    rows: int
    changes: list[tuple[str, str]]


def trail_page(visit: Visit) -> Response:
    """The trail of one enterprise."""
    with visit.read() as tx:
        desk = open_desk(tx, visit, "audit:read")
        people = [(member.person_id, member.name or member.email) for member in list_members(tx, desk.enterprise.id)]
        entries, errors, status = _entries(tx, visit, desk.enterprise.timezone, desk)
        roles = {role.id: role.name for role in list_roles(tx, desk.enterprise.id)}
    return _show(
        visit, desk, entries, errors, status, people=people, roles=roles, address=f"{desk.address}/settings/history"
    )


def instance_trail_page(visit: Visit) -> Response:
    """The trail of the whole instance."""
    with visit.read() as tx:
        demand(tx, visit.actor, "operator")
        entries, errors, status = _entries(tx, visit, visit.instance.settings.timezone, None)
        ids = {entry.enterprise_id for entry in entries if entry.enterprise_id}
        names = {id: enterprise.name for id, enterprise in enterprises_by_id(tx, ids).items()}
    return _show(visit, None, entries, errors, status, names=names, address="/office/instance/history")


def _show(
    visit: Visit,
    desk: Desk | None,
    entries: list[AuditEntry],
    errors: Mistakes,
    status: int,
    *,
    address: str,
    people: list[tuple[str, str]] | None = None,
    names: Mapping[str, str] | None = None,
    roles: Mapping[str, str] | None = None,
) -> Response:
    kinds = kind_words(visit.language)
    lines = [_line(entry, visit.language, kinds, names or {}, desk, roles or {}) for entry in entries]
    query = {name: visit.query.get(name, "") for name in ("person", "kind", "day", "thing")}
    return show(
        visit,
        desk,
        "trail",
        at="settings",
        status=status,
        lines=lines,
        kinds=sorted(kinds.items(), key=_by_words),
        people=people,
        query=query,
        here=address,
        mistakes=errors,
        more=entries[-1].id if len(entries) == _SHOWN else "",
    )


def _by_words(kind: tuple[str, str]) -> str:
    return kind[1]


def _entries(tx: Transaction, visit: Visit, timezone: str, desk: Desk | None) -> tuple[list[AuditEntry], Mistakes, int]:
    """The entries that the reader looks for, the newest first; none where a field is wrong."""
    try:
        since, until = _read_day(visit.query.get("day", ""), timezone)
        person_id = _read_person(tx, visit.query.get("person", "").strip(), desk)
    except NotFound:
        return [], NO_MISTAKES, 200
    except Refused as error:
        return [], mistakes(visit, error, {"day"}.__contains__), status_of(error)
    entry_filter = AuditFilter(
        enterprise_id=desk.enterprise.id if desk else "",
        person_id=person_id,
        object_kind=visit.query.get("kind", "")[:100],
        object_id=visit.query.get("thing", "").strip()[:300],
        since=since,
        until=until,
        after=visit.query.get("after", "")[:100],
    )
    return list(audit_entries(tx, entry_filter, _SHOWN)), NO_MISTAKES, 200


def _read_person(tx: Transaction, text: str, desk: Desk | None) -> str:
    """The id that a manager chose from the list, or the person whose e-mail address an operator typed."""
    if not text or desk is not None:
        return text[:100]
    return person_by_email(tx, text).id


def _read_day(text: str, timezone: str) -> tuple[datetime | None, datetime | None]:
    """The beginning and the end of a day by the clocks of the place. Raises `Invalid`."""
    if not text:
        return None, None
    day = day_field({"day": text}, "day")
    days = (day, day + timedelta(days=1))
    begins, ends = (datetime.combine(each, time(), tzinfo=ZoneInfo(timezone)).astimezone(UTC) for each in days)
    return begins, ends


def _line(
    entry: AuditEntry,
    language: str,
    kinds: Mapping[str, str],
    names: Mapping[str, str],
    desk: Desk | None,
    roles: Mapping[str, str],
) -> TrailLine:
    order = entry.object_kind == "customer_order" and desk is not None
    return TrailLine(
        at=entry.at,
        who=_who(entry, language),
        what=_action_words(language).get(entry.action, entry.action),
        thing=kinds.get(entry.object_kind, entry.object_kind.replace("_", " ")),
        command=entry.command,
        where=names.get(entry.enterprise_id or "", ""),
        rows=entry.rows,
        url=f"{desk.address}/orders/{entry.object_id}" if order and desk else "",
        changes=[(name, _values(values, roles if name == "role" else {})) for name, values in entry.fields.items()],
    )


def _who(entry: AuditEntry, language: str) -> str:
    if entry.person:
        token = translate(language, "{name}, by a token of the API")
        return token.format(name=entry.person) if entry.actor == "token" else entry.person
    return {
        "job": translate(language, "by itself"),
        "shell": translate(language, "an operator at the command line"),
        "peer": entry.client or translate(language, "a neighbour"),
        "provider": translate(language, "a payment provider"),
        "nobody": translate(language, "somebody who was not logged in"),
    }.get(entry.actor, translate(language, "somebody who is not known any more"))


def _values(values: object, names: Mapping[str, str]) -> str:
    """The values before and after; a name instead of an id that has one."""
    parts = values if isinstance(values, list | tuple) else [values]
    return " → ".join("–" if part is None else names.get(str(part), str(part))[:_LONGEST] for part in parts)


def _action_words(language: str) -> Mapping[str, str]:
    return {
        "made": translate(language, "made"),
        "changed": translate(language, "changed"),
        "removed": translate(language, "removed"),
        "logged in": translate(language, "logged in"),
        "exported": translate(language, "downloaded"),
        "forgot": translate(language, "erased"),
        "merged": translate(language, "put together"),
        "repriced": translate(language, "given the price of today"),
    }


def kind_words(language: str) -> Mapping[str, str]:
    """What the reader may look for, by the names of tables."""
    return {
        "supplied_product": translate(language, "Product"),
        "offer": translate(language, "Price"),
        "catalog_item": translate(language, "Catalogue"),
        "stock_lot": translate(language, "Stock"),
        "purchase_terms": translate(language, "Purchase price"),
        "customer_order": translate(language, "Order"),
        "payment": translate(language, "Payment"),
        "customer": translate(language, "Customer"),
        "customer_category": translate(language, "Group of customers"),
        "coordination": translate(language, "Sale"),
        "sale_session": translate(language, "Sale at a shop"),
        "purchase_order": translate(language, "Order to a supplier"),
        "enterprise": translate(language, "Who we are"),
        "enterprise_member": translate(language, "Member of the team"),
        "enterprise_role": translate(language, "Role of the team"),
        "enterprise_grant": translate(language, "Permission"),
        "enterprise_plugin": translate(language, "Settings of an extension"),
        "proposed_act": translate(language, "Second person"),
        "legal_text": translate(language, "Legal text"),
        "person": translate(language, "Account"),
        "person_identity": translate(language, "Account elsewhere"),
        "report": translate(language, "Report"),
    }
