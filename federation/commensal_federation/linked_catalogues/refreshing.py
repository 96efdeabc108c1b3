"""Reads what is linked anew: when it is due, when a sale opens, and when its platform says so.

The platform is asked outside of any transaction; what it answers is written in one.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, select, update

from commensal import Event, Instance, Job, SaleSession, Transaction, enterprise_by_id, hookimpl, say, translate

from ..delivery.outbox.backoff import chance
from ..dfc.findings import DocumentFinding, DocumentFindings
from ..runtime import Federation, federation_of
from .client import DfcClient
from .errors import NotAnswered
from .keeping import keep_document
from .links import access_of, link_by_id, links_of, promise_refresh
from .pages import WholeCatalogue, read_catalogue
from .tables import federation_link
from .values import Link, Refreshed

EVERY = timedelta(hours=1)  # a link is read anew, give or take a tenth
_FIRST = timedelta(minutes=2)  # after a failure, and twice as long after each further one in a row
_LONGEST = timedelta(hours=12)
CLAIM = timedelta(minutes=15)  # within which a promised refresh is done
_DOUBLINGS = 9
_AT_ONCE = 200
_SHOWN = 50  # findings
_row = federation_link.c
# Made once, since it is asked every minute.
_DUE = (
    select(_row.id).where(_row.state == "active", _row.due_at <= bindparam("now")).order_by(_row.due_at).limit(_AT_ONCE)
)
_LOCKED_DUE = _DUE.with_for_update(skip_locked=True)


def refresh(federation: Federation, link_id: str, *, resume: bool = False) -> Refreshed:
    """Reads a link now. One that was suspended is read, and active again, where somebody wants to `resume` it.

    Not inside a transaction. Raises `NotAnswered`, after the failure was noted, and `NotFound`.
    """
    with federation.instance.store.read() as tx:
        link, access = link_by_id(tx, link_id), access_of(tx, link_id)
        known = tx.one(select(_row.etag, _row.digest).where(_row.id == link_id))
    wanted = link.state == "active" or (resume and link.state == "suspended")
    if not wanted:
        return Refreshed()
    try:
        found = read_catalogue(DfcClient(federation, access), etag=known["etag"], digest=known["digest"])
    except NotAnswered as error:
        with federation.instance.store.write() as tx:
            _note_failure(tx, link, error)
        raise
    with federation.instance.store.write() as tx:
        return _keep(federation, tx, link, found)


def refresh_link(instance: Instance, job: Job) -> None:
    """A job. A platform that does not answer is no fault of this instance: it is noted with the link, and asked again
    later by the schedule."""
    with suppress(NotAnswered):
        refresh(federation_of(instance), job.payload["link"])


def refresh_due(tx: Transaction) -> None:
    """Promises to read what is due. Until it is done or given up, it is not promised again."""
    for row in tx.all(_LOCKED_DUE if tx.postgresql else _DUE, {"now": tx.now}):
        tx.execute(update(federation_link).where(_row.id == row["id"]).values(due_at=tx.now + CLAIM))
        promise_refresh(tx, row["id"])


@hookimpl
def sale_opened(instance: Instance, event: Event, sale: SaleSession) -> None:
    """What the shop sells of distant platforms is read anew when a sale opens."""
    with instance.store.write() as tx:
        for link in links_of(tx, enterprise_id=sale.enterprise_id, state="active"):
            promise_refresh(tx, link.id)


def _keep(federation: Federation, tx: Transaction, read: Link, found: WholeCatalogue) -> Refreshed:
    link = link_by_id(tx, read.id)
    if (link.state, link.version) != (read.state, read.version):
        return Refreshed()  # it was changed while its platform answered, and is read again for that
    values: dict[str, Any] = {
        "refreshed_at": tx.now, "tried_at": tx.now, "due_at": tx.now + _jittered(tx, EVERY), "failures": 0, "error": "",
        "etag": found.etag, "digest": found.digest,
        "state": "active",
    }  # fmt: skip
    if found.document is None:
        done = Refreshed(unchanged=link.products)
    else:
        findings = DocumentFindings()
        done = keep_document(tx, link, federation.base, found.document, findings)
        values["findings"] = _shown((*found.document.findings, *findings.collected), _language(tx, link))
    tx.execute(update(federation_link).where(_row.id == link.id).values(**values))
    return done


def _note_failure(tx: Transaction, link: Link, error: NotAnswered) -> None:
    failures = link.failures + 1
    later = tx.now + _jittered(tx, min(_LONGEST, _FIRST * 2 ** min(failures - 1, _DOUBLINGS)))
    due = max(later, error.earliest) if error.earliest else later
    said = say(_language(tx, link), error)[:500]
    values = {"tried_at": tx.now, "due_at": due, "failures": failures, "error": said}
    tx.execute(update(federation_link).where(_row.id == link.id).values(**values))


def _jittered(tx: Transaction, wait: timedelta) -> timedelta:
    return wait * (0.9 + 0.2 * chance(tx))


def _shown(findings: tuple[DocumentFinding, ...], language: str) -> list[str]:
    """What cannot be right first."""
    ordered = sorted(findings, key=lambda one: one.weight != "wrong")
    return [_said(one, language)[:500] for one in ordered[:_SHOWN]]


def _said(one: DocumentFinding, language: str) -> str:
    what = say(language, one.problem)
    if one.count > 1:
        what = translate(language, "{what} ({count} times)").format(what=what, count=one.count)
    return f"{what} [{one.iri}]" if one.iri else what


def _language(tx: Transaction, link: Link) -> str:
    """Of the people who read what is wrong with it."""
    return enterprise_by_id(tx, link.enterprise_id).language
