"""Reads links again: by schedule, when a sale opens, and after a notice of the platform.

The platform is asked outside of any transaction; its answer is written in one.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import bindparam, select, update

from commensal import Event, Instance, Job, SaleSession, Transaction, enterprise_by_id, hookimpl, say, translate

from ..delivery.outbox.breaker import chance
from ..dfc.findings import DocumentFinding, DocumentFindings
from ..dfc.offered_products import OfferedProduct
from ..runtime import Federation, federation_of
from .client import DfcClient
from .copies import sellable_goods, store_document
from .links import access_of, enqueue_refresh, link_by_id, links_of
from .pages import WholeCatalogue, read_catalogue
from .tables import federation_link
from .values import Link, NotAnswered, Refreshed

EVERY = timedelta(hours=1)  # between two readings of a link, give or take a tenth
_FIRST = timedelta(minutes=2)  # after a failure, and twice as long after each further one in a row
_LONGEST = timedelta(hours=12)
CLAIM = timedelta(minutes=15)  # an enqueued refresh is not enqueued again within this time
_DOUBLINGS = 9
_AT_ONCE = 200
_MOST_FINDINGS = 50  # findings
_row = federation_link.c
# Built once, since it runs every minute.
_DUE = (
    select(_row.id).where(_row.state == "active", _row.due_at <= bindparam("now")).order_by(_row.due_at).limit(_AT_ONCE)
)
_LOCKED_DUE = _DUE.with_for_update(skip_locked=True)


def refresh(federation: Federation, link_id: str, *, resume: bool = False) -> Refreshed:
    """Reads a link now; with `resume` also a suspended one, which becomes active. Not to be called in a transaction.

    Raises `NotAnswered`, after it has recorded the failure, and `NotFound`.
    """
    with federation.instance.store.read() as tx:
        link, access = link_by_id(tx, link_id), access_of(tx, link_id)
        stored = tx.one(select(_row.etag, _row.digest).where(_row.id == link_id))
        hub = enterprise_by_id(tx, link.enterprise_id)
    is_readable = link.state == "active" or (resume and link.state == "suspended")
    if not is_readable:
        return Refreshed()
    try:
        catalogue = read_catalogue(DfcClient(federation, access), etag=stored["etag"], digest=stored["digest"])
    except NotAnswered as error:
        with federation.instance.store.write() as tx:
            _note_failure(tx, link, error)
        raise
    findings, goods = DocumentFindings(), dict[str, OfferedProduct]()
    if catalogue.document is not None:
        goods = sellable_goods(link, hub, catalogue.document, findings)
    with federation.instance.store.write() as tx:
        return _store(federation, tx, link, catalogue, goods, findings)


def refresh_link(instance: Instance, job: Job) -> None:
    """Reads a link. A platform that does not answer is not failure of the job: the link records it and is due later."""
    with suppress(NotAnswered):
        refresh(federation_of(instance), job.payload["link"])


def refresh_due(tx: Transaction) -> None:
    """Enqueues jobs that read the links that are due, each once until it is done or `CLAIM` has passed."""
    for row in tx.all(_LOCKED_DUE if tx.postgresql else _DUE, {"now": tx.now}):
        tx.execute(update(federation_link).where(_row.id == row["id"]).values(due_at=tx.now + CLAIM))
        enqueue_refresh(tx, row["id"])


@hookimpl
def sale_opened(instance: Instance, event: Event, sale: SaleSession) -> None:
    """Reads the shop's links again when a sale opens."""
    with instance.store.write() as tx:
        for link in links_of(tx, enterprise_id=sale.enterprise_id, state="active"):
            enqueue_refresh(tx, link.id)


def _store(
    federation: Federation,
    tx: Transaction,
    link_before: Link,
    catalogue: WholeCatalogue,
    goods: Mapping[str, OfferedProduct],
    findings: DocumentFindings,
) -> Refreshed:
    link = link_by_id(tx, link_before.id)
    if (link.state, link.version) != (link_before.state, link_before.version):
        return Refreshed()  # somebody changed it meanwhile, and it is read again for that
    values: dict[str, object] = {
        "refreshed_at": tx.now,
        "tried_at": tx.now,
        "due_at": tx.now + _jittered(tx, EVERY),
        "failures": 0,
        "error": "",
        "etag": catalogue.etag,
        "digest": catalogue.digest,
        "state": "active",
    }
    if catalogue.document is None:
        result = Refreshed(unchanged=link.products)
    else:
        result = store_document(federation, tx, link, catalogue.document, goods, findings)
        values["findings"] = _finding_texts((*catalogue.document.findings, *findings.collected), _language(tx, link))
    tx.execute(update(federation_link).where(_row.id == link.id).values(**values))
    return result


def _note_failure(tx: Transaction, link: Link, error: NotAnswered) -> None:
    failures = link.failures + 1
    next_try = tx.now + _jittered(tx, min(_LONGEST, _FIRST * 2 ** min(failures - 1, _DOUBLINGS)))
    due_at = max(next_try, error.earliest) if error.earliest else next_try
    text = say(_language(tx, link), error)[:500]
    values = {"tried_at": tx.now, "due_at": due_at, "failures": failures, "error": text}
    tx.execute(update(federation_link).where(_row.id == link.id).values(**values))


def _jittered(tx: Transaction, wait: timedelta) -> timedelta:
    return wait * (0.9 + 0.2 * chance(tx))


def _finding_texts(findings: tuple[DocumentFinding, ...], language: str) -> list[str]:
    """Returns the findings as texts, wrong ones first."""
    ordered = sorted(findings, key=lambda finding: finding.weight != "wrong")
    return [_finding_text(finding, language)[:500] for finding in ordered[:_MOST_FINDINGS]]


def _finding_text(finding: DocumentFinding, language: str) -> str:
    text = say(language, finding.problem)
    if finding.count > 1:
        text = translate(language, "{what} ({count} times)").format(what=text, count=finding.count)
    return f"{text} [{finding.iri}]" if finding.iri else text


def _language(tx: Transaction, link: Link) -> str:
    """Returns the language of the hub's people, who read the errors."""
    return enterprise_by_id(tx, link.enterprise_id).language
