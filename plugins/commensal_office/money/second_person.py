"""What waits for a second person: who asks sees that it waits; the other sees what exactly is done, and decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from commensal import (
    ActKind,
    ActWords,
    Instance,
    NotFound,
    ProposedAct,
    Refused,
    Stale,
    Transaction,
    change_plugin,
    demand,
    format_money,
    hookimpl,
    needs_second_person,
    past_acts,
    person_by_id,
    propose,
    translate,
    waiting_acts,
)
from commensal.enterprises import list_plugins, plugin_name
from commensal.pages import NO_MISTAKES, Mistakes, Visit, mistakes, status_of
from commensal.parts.approvals import act_kinds as kinds_of_acts
from commensal.parts.approvals import (
    approve,
    money_people,
    other_account,
    refuse,
    set_second_person,
    wants_second_person,
    withdraw,
)
from commensal.parts.supply import open_books
from commensal.parts.till import write_cents_off

from ..frame.desk import Desk, open_desk
from ..frame.render import show

BOOKS, ACCOUNT, NO_SECOND = "office.books", "office.account", "office.second_person"
WRITE_OFF = "office.write_off"
PAGE = "money/second"


@dataclass(frozen=True, kw_only=True)
class ShownAct:
    """An act in the reader's language, with the names of the people. `mine`: the reader has asked for it."""

    act: ProposedAct
    words: ActWords
    asker: str
    decider: str
    mine: bool
    open: bool


def second_page(visit: Visit, errors: Mistakes = NO_MISTAKES, status: int = 200) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "payments:read")
        waiting, past = waiting_acts(tx, desk.enterprise.id), past_acts(tx, desk.enterprise.id)
        ids = {id for act in (*waiting, *past) for id in (act.asked_by, act.decided_by) if id}
        people = {id: _name(tx, id) for id in ids}
        context: dict[str, Any] = {
            "waiting": [_shown(tx, visit, act, people) for act in waiting],
            "past": [_shown(tx, visit, act, people) for act in past],
            "wanted": wants_second_person(tx, desk.enterprise.id),
            "number": len(money_people(tx, desk.enterprise.id)),
        }
    done = visit.query.get("done", "")
    return show(visit, desk, "second", at="money", status=status, mistakes=errors, done=done, **context)


def count_waiting(tx: Transaction, visit: Visit, desk: Desk) -> int:
    """How many acts that others have asked for wait for the reader."""
    acts = waiting_acts(tx, desk.enterprise.id) if desk.keeps_books else ()
    return len([act for act in acts if act.asked_by != visit.actor.person_id])


def _name(tx: Transaction, person_id: str) -> str:
    try:
        return person_by_id(tx, person_id).name
    except NotFound:  # erased since
        return ""


def _shown(tx: Transaction, visit: Visit, act: ProposedAct, people: dict[str, str]) -> ShownAct:
    kind = kinds_of_acts(visit.instance.hooks).get(act.kind)
    words = ActWords(title=act.kind) if kind is None else kind.describe(tx, act, visit.language)
    return ShownAct(
        act=act,
        words=words,
        asker=people.get(act.asked_by, ""),
        decider=people.get(act.decided_by or "", ""),
        mine=act.asked_by == visit.actor.person_id,
        open=act.is_open(tx.now),
    )


def post_second(visit: Visit) -> Response:
    """Says yes or no to an act, takes one back, or chooses whether there is to be a second person at all."""
    action, form = visit.query.get("then", ""), visit.form
    try:
        with visit.write() as tx:
            desk = open_desk(tx, visit, "payments:write")
            shop, act, digest = desk.enterprise.id, form.get("act", ""), form.get("digest", "")
            if action == "yes":
                approve(visit.instance, tx, shop, act, digest, visit.actor)
            elif action == "no":
                refuse(tx, shop, act, digest, visit.actor, reason=form.get("reason", ""))
            elif action == "back":
                withdraw(tx, shop, act, visit.actor)
            elif action == "choose":
                action = _choose(visit, tx, desk, asks=form.get("wanted") == "1")
            else:
                raise NotFound
    except NotFound:
        raise
    except Refused as error:
        return second_page(visit, mistakes(visit, error, lambda name: name == "reason"), status_of(error))
    return visit.redirect(f"{desk.address}/{PAGE}?done={action}")


def _choose(visit: Visit, tx: Transaction, desk: Desk, *, asks: bool) -> str:
    """To want no second person any more needs one, too."""
    demand(tx, visit.actor, "enterprise:write", desk.enterprise.id)
    if not asks and needs_second_person(tx, desk.enterprise.id):
        propose(tx, desk.enterprise.id, NO_SECOND, "", {}, actor=visit.actor)
        return "asked"
    set_second_person(tx, desk.enterprise.id, asks=asks)
    return "chosen"


# ------------------------------------------------------------------------------------------------ acts of the office


@hookimpl
def act_kinds() -> list[ActKind]:
    return [
        ActKind(name=BOOKS, scope="payments:write", describe=_describe_books, perform=_open_books),
        ActKind(name=ACCOUNT, scope="plugins:write", describe=_describe_account, perform=_change_account),
        ActKind(name=WRITE_OFF, scope="payments:write", describe=_describe_write_off, perform=_write_off),
        ActKind(name=NO_SECOND, scope="enterprise:write", describe=_describe_choice, perform=_want_none),
    ]


def _describe_books(tx: Transaction, act: ProposedAct, language: str) -> ActWords:
    lines = [(translate(language, "Sale"), act.content["sale"]), (translate(language, "Why"), act.content["reason"])]
    return ActWords(title=translate(language, "Open the books of a sale again"), lines=lines)


def _open_books(instance: Instance, tx: Transaction, act: ProposedAct) -> None:
    open_books(tx, act.enterprise_id, act.subject, reason=act.content["reason"], person_id=act.asked_by)


def _describe_write_off(tx: Transaction, act: ProposedAct, language: str) -> ActWords:
    amount = format_money(act.content["due"], act.content["currency"], language)
    lines = [
        (translate(language, "Order"), str(act.content["order"])),
        (translate(language, "Amount"), amount),
        (translate(language, "Why"), act.content["reason"]),
    ]
    return ActWords(title=translate(language, "Write off what is open of an order"), lines=lines)


def _write_off(instance: Instance, tx: Transaction, act: ProposedAct) -> None:
    due, reason = act.content["due"], act.content["reason"]
    write_cents_off(tx, act.enterprise_id, act.subject, due=due, reason=reason, person_id=act.asked_by)


def _describe_account(tx: Transaction, act: ProposedAct, language: str) -> ActWords:
    before, after = (", ".join(filter(None, map(str, act.content[each].values()))) for each in ("before", "after"))
    nothing = translate(language, "no account")
    title = translate(language, "Another account of ours: {name}").format(name=plugin_name(act.subject, language))
    lines = [(translate(language, "Before"), before or nothing), (translate(language, "From now on"), after or nothing)]
    return ActWords(title=title, lines=lines)


def _change_account(instance: Instance, tx: Transaction, act: ProposedAct) -> None:
    plugins = list_plugins(tx, instance.hooks, act.enterprise_id)
    plugin = next((each for each in plugins if each.plugin == act.subject and each.enabled), None)
    if plugin is None:
        raise Stale
    settings = {**plugin.settings, **act.content["after"]}
    if other_account(tx, instance.hooks, act.enterprise_id, act.subject, settings)[0] != act.content["before"]:
        raise Stale
    change_plugin(tx, instance.hooks, act.enterprise_id, act.subject, plugin.version, settings)


def _describe_choice(tx: Transaction, act: ProposedAct, language: str) -> ActWords:
    return ActWords(title=translate(language, "Let one person alone decide about money from now on"))


def _want_none(instance: Instance, tx: Transaction, act: ProposedAct) -> None:
    if not wants_second_person(tx, act.enterprise_id):
        raise Stale
    set_second_person(tx, act.enterprise_id, asks=False)
