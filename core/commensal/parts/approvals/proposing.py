"""Whether an enterprise needs a second person where money leaves; asks, decides, lists what waits."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from sqlalchemy import bindparam, func, insert, select, update

from ...base.errors import Conflict, Forbidden, Invalid, NotFound, Problem, Stale
from ...base.money import PaidTo
from ...base.texts import read_text
from ...enterprises.access import MEMBERS, RIGHTS, demand, demand_session, scopes_of_member, works_at
from ...enterprises.enterprises import enterprise_by_id
from ...enterprises.plugins import enabled_plugins
from ...enterprises.tables import enterprise_member
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...instance import Instance
from ...people.actor import Actor
from ...people.people import person_by_id
from ...storage.database import Row, Transaction, insert_or, refuse_conflict
from ...storage.jobs.enqueue import NewJob, enqueue_once
from ...storage.jobs.registry import Job
from ...storage.jobs.tables import job
from ..mail.to_people import mail_people, members_who_may
from .tables import approval_policy, proposed_act

# Whether an enterprise needs a second person where money leaves.

MONEY = "payments:write"  # who agrees holds it
_member, _policy = enterprise_member.c, approval_policy.c


def wants_second_person(tx: Transaction, enterprise_id: str) -> bool:
    """What the enterprise has chosen; yes, unless it has chosen otherwise."""
    chosen = tx.first(select(_policy.second_person).where(_policy.enterprise_id == enterprise_id))
    return chosen is None or bool(chosen["second_person"])


def money_people(tx: Transaction, enterprise_id: str) -> list[str]:
    """The ids of those who deal with its money, its members or those of the hub that keeps it, in their order."""
    query = select(_member.person_id, *RIGHTS).select_from(MEMBERS).where(works_at(enterprise_id))
    return sorted({row["person_id"] for row in tx.all(query) if MONEY in scopes_of_member(tx, row)})


def needs_second_person(tx: Transaction, enterprise_id: str) -> bool:
    """Whether an act has to wait for a second person: the enterprise wants it, and there are two to begin with, so that
    nobody who is alone is locked out."""
    return wants_second_person(tx, enterprise_id) and len(money_people(tx, enterprise_id)) > 1


def set_second_person(tx: Transaction, enterprise_id: str, *, asks: bool) -> None:
    """Chooses. To want none is itself an act that needs the second person: see the callers."""
    values = {"second_person": asks}
    row = insert_or(tx, approval_policy).values(enterprise_id=enterprise_id, **values)
    tx.execute(row.on_conflict_do_update(index_elements=["enterprise_id"], set_=values))


# Settings of plugins that say to which account money goes: another one may need a second person.


def other_account(
    tx: Transaction, hooks: Hooks, enterprise_id: str, plugin: str, settings: Mapping[str, object]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns what these settings of a plugin change of the account to which money goes: what stands in its fields now,
    and what would. Both are empty where they change nothing of it."""
    shape = hooks.settings_class(plugin)
    if shape is None:
        return {}, {}
    names = [name for name, hint in get_type_hints(shape, include_extras=True).items() if _is_marked(hint)]
    stored = enabled_plugins(tx, enterprise_id).get(plugin, {})
    before = {name: stored.get(name, "") for name in names}
    after = {name: settings.get(name, "") for name in names}
    return ({}, {}) if before == after else (before, after)


def refuse_other_account(
    tx: Transaction, hooks: Hooks, enterprise_id: str, plugin: str, settings: Mapping[str, object]
) -> None:
    """Raises `Conflict` for settings that change that account where it needs a second person."""
    if other_account(tx, hooks, enterprise_id, plugin, settings)[1] and needs_second_person(tx, enterprise_id):
        text = "Two people change the account to which money goes here: ask for it in the office."
        raise Conflict("second_person", text)


def _is_marked(hint: object) -> bool:
    return get_origin(hint) is Annotated and any(isinstance(mark, PaidTo) for mark in get_args(hint)[1:])


# Acts that may need a second person, as their kinds and pages see them.

ActState = Literal["waiting", "approved", "refused", "withdrawn"]


@dataclass(frozen=True, kw_only=True)
class ProposedAct:
    """What somebody asks for, and what became of it. Moments are UTC.

    subject: what it is about, such as a supplier's id: of one kind and subject one act waits at a time
    content: what exactly is to be done, as JSON; `digest` names it, so nobody agrees to anything else
    state:   "waiting" for another person; "approved", and so done; "refused"; "withdrawn": taken back, or asked anew
    reason:  why it was refused
    """

    id: str
    enterprise_id: str
    kind: str
    subject: str
    content: Mapping[str, Any]
    digest: str
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    state: ActState
    decided_by: str | None
    decided_at: datetime | None
    reason: str

    def is_open(self, now: datetime) -> bool:
        """Whether somebody can still agree to it."""
        return self.state == "waiting" and now < self.expires_at


@dataclass(frozen=True, kw_only=True)
class ActWords:
    """An act in the reader's language: `title` says what is done, `lines` are what exactly, each a label and a text."""

    title: str
    lines: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, kw_only=True)
class ActKind:
    """A kind of act that may need a second person, declared by whoever has the act.

    name:     unique; a plugin's begins with its id and a dot
    scope:    what whoever asks must hold, also at the moment when the other agrees
    describe: the act in a language, for both people
    perform:  does it, in the transaction of the second person's yes. It raises `Stale` if what it changes is not any
              more as the content says that it was
    """

    name: str
    scope: str
    describe: Callable[[Transaction, ProposedAct, str], ActWords]
    perform: Callable[[Instance, Transaction, ProposedAct], None]


LASTS = timedelta(days=7)
TELL = "tell_second_people"  # a job: {"enterprise": id}
BETWEEN_MAILS = timedelta(hours=1)  # to the people of one enterprise
MOST_WAITING = 200  # acts of one enterprise
_row = proposed_act.c
_COLUMNS = [_row[field.name] for field in fields(ProposedAct)]
_LOCKED = (
    select(*_COLUMNS)
    .where(_row.id == bindparam("act"), _row.enterprise_id == bindparam("enterprise"))
    .with_for_update()
)


def act_kinds(hooks: Hooks) -> dict[str, ActKind]:
    """The kinds that plugins declare, by name."""
    return {kind.name: kind for answer in hooks.each(specifications.act_kinds) for kind in answer.value or ()}


def propose(
    tx: Transaction, enterprise_id: str, kind: str, subject: str, content: Mapping[str, Any], *, actor: Actor
) -> ProposedAct:
    """Notes an act that waits for a second person, and returns it. One of the same kind and subject that waits is taken
    back, so nobody agrees to it any more. The caller has asked for the scope of the kind.

    Raises `Forbidden` for who is not logged in as a person, `Conflict` when too many wait, or when somebody else asks
    at this moment.
    """
    if actor.person_id is None:
        raise Forbidden
    waiting = (_row.enterprise_id == enterprise_id, _row.state == "waiting")
    if tx.value(select(func.count()).where(*waiting, _row.expires_at > tx.now)) >= MOST_WAITING:
        raise Conflict("too_many", "At most {most} acts wait for a second person at once.", most=MOST_WAITING)
    same = update(proposed_act).where(*waiting, _row.kind == kind, _row.subject == subject)
    tx.execute(same.values(state="withdrawn", decided_by=actor.person_id, decided_at=tx.now))
    act = ProposedAct(
        id=tx.new_id(),
        enterprise_id=enterprise_id,
        kind=kind,
        subject=subject,
        content=content,
        digest=digest_of(kind, subject, content),
        asked_by=actor.person_id,
        asked_at=tx.now,
        expires_at=tx.now + LASTS,
        state="waiting",
        decided_by=None,
        decided_at=None,
        reason="",
    )
    twice = Conflict("asked_at_once", "Somebody else has just asked for something about this. Look at it first.")
    with refuse_conflict(tx, duplicate=twice):
        tx.execute(insert(proposed_act).values({field.name: getattr(act, field.name) for field in fields(act)}))
    _tell_others(tx, enterprise_id)
    return act


def _tell_others(tx: Transaction, enterprise_id: str) -> None:
    """Enqueues the mail to those who may agree, for now or for an hour after the last one: it says how many wait."""
    named = f"{TELL}:{enterprise_id}:"
    mails = (job.c.id > named, job.c.id < f"{named}~")
    if tx.first(select(job.c.id).where(*mails, job.c.state == "waiting").limit(1)):
        return
    last = tx.value(select(func.max(job.c.due_at)).where(*mails))
    due_at = tx.now if last is None else max(tx.now, last + BETWEEN_MAILS)
    enqueue_once(tx, f"{named}{due_at.isoformat()}", NewJob(TELL, {"enterprise": enterprise_id}, due_at))


def tell_second_people(instance: Instance, mail_job: Job) -> None:
    """Mails each of those who may agree how many acts of others wait, and who asked last: what they are stands behind
    the log-in."""
    with instance.store.write() as tx:
        enterprise_id = mail_job.payload["enterprise"]
        acts = waiting_acts(tx, enterprise_id)
        askers = {id: person_by_id(tx, id) for id in {act.asked_by for act in acts}}
        shop, path = enterprise_by_id(tx, enterprise_id).name, f"office/{enterprise_id}/money/second"
        mails = []
        for member in members_who_may(tx, enterprise_id, MONEY):
            waiting = [asker for act in acts if (asker := askers[act.asked_by]).email != member.email]
            if waiting:
                name = waiting[-1].name or waiting[-1].email
                mails.append((member, {"shop": shop, "asker": name, "count": len(waiting), "path": path}))
        mail_people(tx, "second_person", mails)


def digest_of(kind: str, subject: str, content: Mapping[str, Any]) -> str:
    """Names what is to be done: the SHA-256 of it as JSON with sorted keys, in hexadecimal."""
    return hashlib.sha256(msgspec.json.encode([kind, subject, content], order="sorted")).hexdigest()


def approve(
    instance: Instance, tx: Transaction, enterprise_id: str, act_id: str, digest: str, actor: Actor
) -> ProposedAct:
    """Does what was asked for, as a second person: `digest` names what the page has shown them.

    Raises `Forbidden` for a token, for who has no right to money, and for whoever asked, by whichever session or
    device; `Stale` if it was decided, replaced or changed meanwhile, or if what it would change was; `Conflict` once it
    is too old, or if who asked may not do it any more. `NotFound` for an act of another enterprise.
    """
    person_id, act = _decider(tx, enterprise_id, act_id, digest, actor)
    kind = act_kinds(instance.hooks).get(act.kind)
    if kind is None:
        raise NotFound("no_act", "Nothing waits here for a second person.")
    if kind.scope not in _scopes_of(tx, enterprise_id, act.asked_by):
        raise Conflict("asker_gone", "Who asked for this may not do it any more. Refuse it, or ask for it yourself.")
    approved = _decide(tx, act, "approved", person_id)
    kind.perform(instance, tx, approved)
    return approved


def refuse(tx: Transaction, enterprise_id: str, act_id: str, digest: str, actor: Actor, *, reason: str) -> ProposedAct:
    """Says no, as a second person, for a reason that whoever asked reads. Raises like `approve`, and `Invalid`."""
    problems: list[Problem] = []
    reason = read_text(reason, "/reason", problems, most=500)
    if problems:
        raise Invalid(problems)
    person_id, act = _decider(tx, enterprise_id, act_id, digest, actor)
    return _decide(tx, act, "refused", person_id, reason)


def withdraw(tx: Transaction, enterprise_id: str, act_id: str, actor: Actor) -> ProposedAct:
    """Takes back what the same person asked for. Raises `NotFound`, `Forbidden` for somebody else, `Stale`."""
    act = _locked(tx, enterprise_id, act_id)
    if act.asked_by != actor.person_id:
        raise Forbidden("not_yours", "Only who asked for it can take it back; you can refuse it.")
    return _decide(tx, act, "withdrawn", act.asked_by)


def waiting_acts(tx: Transaction, enterprise_id: str) -> list[ProposedAct]:
    """What waits for a second person, the oldest first."""
    waiting = (_row.enterprise_id == enterprise_id, _row.state == "waiting", _row.expires_at > tx.now)
    return [ProposedAct(**row) for row in tx.all(select(*_COLUMNS).where(*waiting).order_by(_row.id))]


def past_acts(tx: Transaction, enterprise_id: str, *, kind: str = "", limit: int = 30) -> list[ProposedAct]:
    """What was decided, or was not in time, the newest first; of one kind only, if it is named."""
    over = (_row.state != "waiting") | (_row.expires_at <= tx.now)
    query = select(*_COLUMNS).where(_row.enterprise_id == enterprise_id, over)
    query = query.where(_row.kind == kind) if kind else query
    return [ProposedAct(**row) for row in tx.all(query.order_by(_row.id.desc()).limit(limit))]


def act_by_id(tx: Transaction, enterprise_id: str, act_id: str) -> ProposedAct:
    """An act of the enterprise. Raises `NotFound`."""
    rows = tx.all(select(*_COLUMNS).where(_row.id == act_id, _row.enterprise_id == enterprise_id))
    return _one(rows)


def _one(rows: Sequence[Row]) -> ProposedAct:
    if not rows:
        raise NotFound("no_act", "Nothing waits here for a second person.")
    return ProposedAct(**rows[0])


def _locked(tx: Transaction, enterprise_id: str, act_id: str) -> ProposedAct:
    return _one(tx.all(_LOCKED, {"act": act_id, "enterprise": enterprise_id}))


def _decider(tx: Transaction, enterprise_id: str, act_id: str, digest: str, actor: Actor) -> tuple[str, ProposedAct]:
    """The id of the second person, and the act, locked until the transaction ends."""
    person_id = demand_session(actor)
    demand(tx, actor, MONEY, enterprise_id)
    act = _locked(tx, enterprise_id, act_id)
    if act.asked_by == person_id:
        raise Forbidden("same_person", "You have asked for this yourself: somebody else has to agree.")
    if act.state != "waiting" or act.digest != digest or digest_of(act.kind, act.subject, act.content) != digest:
        raise Stale
    if act.expires_at <= tx.now:
        raise Conflict("expired", "This has waited for too long. Ask for it again.")
    return person_id, act


def _scopes_of(tx: Transaction, enterprise_id: str, person_id: str) -> frozenset[str]:
    rows = tx.all(select(*RIGHTS).select_from(MEMBERS).where(works_at(enterprise_id), _member.person_id == person_id))
    return frozenset().union(*(scopes_of_member(tx, row) for row in rows))


def _decide(tx: Transaction, act: ProposedAct, state: ActState, person_id: str, reason: str = "") -> ProposedAct:
    decided = replace(act, state=state, decided_by=person_id, decided_at=tx.now, reason=reason)
    values = {name: getattr(decided, name) for name in ("state", "decided_by", "decided_at", "reason")}
    change = update(proposed_act).where(_row.id == act.id, _row.state == "waiting").values(values)
    if tx.execute(change).rowcount != 1:
        raise Stale
    return decided
