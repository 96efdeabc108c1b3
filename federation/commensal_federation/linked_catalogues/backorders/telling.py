"""Tells platforms what is ordered there: one step at a time, each a request or two, with nothing locked meanwhile.

A first request that may have arrived is never sent again before the platform has been asked whether it did: what it
lists and what was not there before, of the same goods, is ours. All tries have the same Idempotency-Key besides, for
platforms that know it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import msgspec

from commensal import Instance, Job, Transaction, enterprise_by_id

from ...dfc.findings import Unreadable
from ...dfc.iris import enterprise_iri, session_iri
from ...dfc.limits import parse
from ...dfc.read import DfcDocument
from ...dfc.vocabulary import DfcOrder
from ...runtime import Federation, federation_of
from ..client import DfcAnswer, DfcClient
from ..errors import NotAnswered
from ..links import access_of
from ..pages import next_page
from ..values import Access, origin_of
from .answers import keep_failure, keep_heard, nothing_to_tell
from .document import Buyer, document_of
from .hearing import Heard, heard_in, heard_order, looks_like_ours, nothing_comes
from .places import WELL_KNOWN, guessed_place, said_place
from .questions import known_iris, locked_backorder
from .values import Backorder, State
from .write import keep_backorder

_PAGES = 6  # of a platform's list of orders
_NEVER = (400, 401, 403, 404, 405, 406, 410, 411, 413, 415, 422)  # with these nothing was ordered
_NOTHING = (409, "nothing")  # of what was ordered comes: instances of this software say so, and have no order then
_NO_LIST = (403, 404, 405, 501)
Step = Literal["create", "amend", "look"]


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is to be done now. `cases`: what is told, by `product_iri`; `known`: orders there that are ours already."""

    step: Step
    backorder: Backorder
    state: State
    cases: Mapping[str, int]
    access: Access
    buyer: Buyer
    known: frozenset[str]


def tell_backorder(instance: Instance, job: Job) -> None:
    """The next step of one order, by a job: ``{"backorder": id}``."""
    federation = federation_of(instance)
    with instance.store.write() as tx:
        task = _task(federation, tx, job.payload["backorder"])
    if task is None:
        return
    try:
        heard = _STEPS[task.step](federation, task)
    except NotAnswered as error:
        with instance.store.write() as tx:
            keep_failure(tx, task.backorder.id, error, nothing_ordered=_is_refusal(task, error))
        return
    with instance.store.write() as tx:
        if heard is None:
            nothing_to_tell(tx, task.backorder.id)
        else:
            keep_heard(federation, tx, task.backorder.id, heard, task.state)


def _task(federation: Federation, tx: Transaction, id: str) -> Task | None:
    backorder = locked_backorder(tx, id)
    if backorder is None or backorder.parked_at is not None:
        return None
    step: Step = "look" if backorder.iri and not backorder.unsaid else "amend" if backorder.iri else "create"
    if step == "create" and not backorder.unsaid:
        keep_backorder(tx, backorder, due_at=None, claimed_until=None)
        return None
    hub = enterprise_by_id(tx, backorder.enterprise_id)
    buyer = Buyer(
        iri=enterprise_iri(federation.base, hub.id), name=hub.name, email=hub.email,
        session_iri=session_iri(federation.base, backorder.session_id),
    )  # fmt: skip
    told = {line.product_iri: line.said or 0 for line in backorder.lines}
    wanted = {line.product_iri: line.cases for line in backorder.lines}
    amends = step == "amend"
    return Task(
        step=step, backorder=backorder, buyer=buyer, access=access_of(tx, backorder.link_id),
        state=backorder.target if amends else "Held" if step == "create" else _said(backorder),
        cases=wanted if amends else told,
        known=known_iris(tx, backorder.link_id),
    )  # fmt: skip


def _said(backorder: Backorder) -> State:
    return "Complete" if backorder.said_state == "Complete" else "Held"


# ------------------------------------------------------------------------------------------------ steps


def _create(federation: Federation, task: Task) -> Heard | None:
    """Looks whether the order is there already, and orders where it is not."""
    client = _client(federation, task)
    backorder = task.backorder
    url = backorder.url or _place(client)
    listed = _listed(client, url)
    if backorder.posting:
        if listed is None:
            text = "It is not known whether the order has arrived, and {url} lists no orders: look there, then retry."
            raise NotAnswered("unknown", text, url=url)
        for document, order in listed:
            found = _ours(client, task, document, order)
            if found is not None:
                return found
        if not backorder.wanted:
            return None
    else:
        noted = _begun(federation, task, url, tuple(order.iri for _, order in listed or ()))
        if noted is None:
            return None
        task = noted
    document = document_of(task.backorder, task.buyer, "Held", task.cases, client.access.version)
    try:
        answer = client.send("POST", url, document, key=task.backorder.key)
    except NotAnswered as error:
        if (error.answered, error.problem) != _NOTHING:
            raise
        return nothing_comes(task.backorder, task.cases)
    return heard_order(client, task.backorder, answer, task.cases)


def _begun(federation: Federation, task: Task, url: str, before: tuple[str, ...]) -> Task | None:
    """Notes, before anything is ordered, that it will be. None where nobody wants it any more."""
    with federation.instance.store.write() as tx:
        backorder = locked_backorder(tx, task.backorder.id)
        if backorder is None or backorder.iri or not backorder.wanted:
            return None
        lines = tuple(replace(line, said=line.cases) for line in backorder.lines)
        begun = replace(backorder, url=url, key=tx.ids.secret(), posting=True, before=before, lines=lines)
        keep_backorder(tx, backorder, lines, url=url, key=begun.key, posting=True, before=list(before))
    return replace(task, backorder=begun, cases={line.product_iri: line.cases for line in lines})


def _amend(federation: Federation, task: Task) -> Heard:
    """The whole order again, as it is wanted now. A platform that does not take it has the last word: what stands
    there is what comes."""
    client = _client(federation, task)
    try:
        return _put(client, task, task.state, task.cases)
    except NotAnswered as error:
        if error.answered != 409:
            raise
    there = heard_order(client, task.backorder, client.get(task.backorder.iri), task.cases)
    if task.state == "Complete" and there.state in ("", "Held"):
        cases = {iri: line.cases for iri, line in there.lines.items()}
        done = _put(client, task, "Complete", cases)
        return replace(there, state=done.state)
    return there


def _put(client: DfcClient, task: Task, state: State, cases: Mapping[str, int]) -> Heard:
    told = cases if state != "Cancelled" else {line.product_iri: line.said or 0 for line in task.backorder.lines}
    document = document_of(task.backorder, task.buyer, state, told, client.access.version)
    answer = client.send("PUT", task.backorder.iri, document)
    return heard_order(client, task.backorder, answer, cases)


def _look(federation: Federation, task: Task) -> Heard:
    """Whether the platform says something else by now."""
    client = _client(federation, task)
    return heard_order(client, task.backorder, client.get(task.backorder.iri), task.cases)


_STEPS = {"create": _create, "amend": _amend, "look": _look}


# ------------------------------------------------------------------------------------------------ what is there


def _client(federation: Federation, task: Task) -> DfcClient:
    return DfcClient(federation, task.access)


def _place(client: DfcClient) -> str:
    """Where orders go. It is asked for once for each order."""
    try:
        said = parse(client.get(f"{client.access.origin}{WELL_KNOWN}").body)
    except NotAnswered as error:
        if error.answered not in (401, 403, 404, 405, 406, 410):
            raise
        said = {}
    except (Unreadable, msgspec.DecodeError):
        said = {}
    return (said_place(client.access.url, said) if isinstance(said, dict) else "") or guessed_place(client.access.url)


def _listed(client: DfcClient, url: str) -> list[tuple[DfcDocument, DfcOrder]] | None:
    """Orders at the platform, with the documents that they are in. None where it lists none to us."""
    found: list[tuple[DfcDocument, DfcOrder]] = []
    page = url
    for _ in range(_PAGES):
        try:
            answer = client.get(page)
        except NotAnswered as error:
            if error.answered not in _NO_LIST or page != url:
                raise
            return None
        found += _orders_in(client, answer)
        page = next_page(client, answer)
        if not page:
            break
    return found


def _orders_in(client: DfcClient, answer: DfcAnswer) -> list[tuple[DfcDocument, DfcOrder]]:
    """Nothing where the list is empty, in whichever way that is written."""
    try:
        if b"Order" not in answer.body and isinstance(parse(answer.body), (list, dict)):
            return []
    except Unreadable:
        pass  # which the client says in its words
    document = client.document(answer)
    mine = (one for one in document.all(DfcOrder) if origin_of(one.iri) == client.access.origin)
    return [(document, one) for one in mine]


def _ours(client: DfcClient, task: Task, document: DfcDocument, order: DfcOrder) -> Heard | None:
    """What is said of an order there, if it is the one that we have sent."""
    if order.iri in task.known or order.iri in task.backorder.before:
        return None
    if not looks_like_ours(document, order, task.backorder, task.buyer.iri):
        return None
    return heard_in(document, order, task.backorder, task.cases)


def _is_refusal(task: Task, error: NotAnswered) -> bool:
    """Whether it is certain that the first request ordered nothing."""
    return task.step == "create" and error.answered in _NEVER
