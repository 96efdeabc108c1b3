"""The neighbours of this site: a list in words, and a page for each, for operators."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from starlette.responses import Response

from commensal import Conflict, Invalid, NotFound, Problem, Screen, Transaction, read_whole, translate
from commensal.pages import Visit, on_refusal

from ..catalogue.away import away_peers
from ..delivery.alerts import Alert, alerts, dismiss_alert
from ..grants.questions import count_grants
from ..messages.types import SCOPES
from ..notices.peer_kinds import PeerKind, peer_kinds
from ..peering import accept, change_scopes, fingerprint, resume, revoke, suspend
from ..peering.deciding import probe
from ..peering.inviting import requested_scopes
from ..peering.pairing.pairings import Pairing, pairing_with, pairings
from ..peers.peers import Peer, peer_by_id, peers
from ..runtime import federation_of
from .effects import effects_of_ending

# Trust in words: levels, each of which stands for scopes, so that nobody has to know their names.

LEVELS: Mapping[str, frozenset[str]] = {
    "know": frozenset({"catalogue.read", "sale.propose"}),
    "trade": frozenset({"catalogue.read", "sale.propose", "order.place", "stock.lease"}),
    "close": frozenset(SCOPES),
}


def level_of(scopes: Collection[str]) -> str:
    """The level that these scopes make up; "" for another choice. Scopes of plugins' messages do not count."""
    own = frozenset(scopes) & frozenset(SCOPES)
    return next((name for name, level in LEVELS.items() if level == own), "")


def scopes_of_level(name: str, current: Collection[str] = ()) -> list[str]:
    """The scopes of a level, with those of plugins' messages that are given already. Raises `Invalid`."""
    if name not in LEVELS:
        raise Invalid([Problem("level", "Choose how far you trust it.", "/level")])
    return sorted(LEVELS[name] | (frozenset(current) - frozenset(SCOPES)))


def level_words(language: str) -> list[tuple[str, str, str]]:
    """Each level with its name and what it means, for radio buttons."""
    return [
        (
            "know",
            translate(language, "We get to know each other"),
            translate(language, "It sees goods that producers here offer to its hubs, and proposes sales to ours."),
        ),
        (
            "trade",
            translate(language, "We trade"),
            translate(language, "Its hubs order besides, and hold a part of the stock so that customers do not wait."),
        ),
        (
            "close",
            translate(language, "We work closely together"),
            translate(
                language,
                "Enterprises move between the two sites besides, transport is shared, and its hubs pass on the names "
                "of customers who have agreed.",
            ),
        ),
    ]


def scope_words(language: str) -> Mapping[str, str]:
    """What each scope lets the other side do here."""
    return {
        "catalogue.read": translate(language, "lists goods that producers here offer to its hubs"),
        "order.place": translate(language, "orders these goods for its customers"),
        "stock.lease": translate(language, "holds a part of the stock for its customers"),
        "sale.propose": translate(language, "proposes sales of its producers to hubs here"),
        "transport": translate(language, "shares transport with enterprises here"),
        "enterprise.move": translate(language, "brings enterprises that move here"),
        "order.names": translate(language, "passes on names of its customers who have agreed"),
    }


def scope_words_there(language: str) -> Mapping[str, str]:
    """What each scope lets our side do there."""
    return {
        "catalogue.read": translate(language, "we list goods that its producers offer to our hubs"),
        "order.place": translate(language, "we order these goods for our customers"),
        "stock.lease": translate(language, "we hold a part of the stock for our customers"),
        "sale.propose": translate(language, "we propose sales of our producers to its hubs"),
        "transport": translate(language, "we share transport with its enterprises"),
        "enterprise.move": translate(language, "enterprises of ours may move there"),
        "order.names": translate(language, "we pass on names of our customers who have agreed"),
    }


HERE = "/office/instance/peers"
_SHOWN = 200
WARNED = timedelta(days=7)  # for which an invitation whose digits differed stays on the page


@dataclass(frozen=True, kw_only=True)
class ExplainedAlert:
    """An alert in the reader's language: what is wrong, what it means for orders, and what to do; as far as known."""

    kind: str
    title: str
    text: str
    meaning: str
    todo: str
    count: int
    last_at: datetime


@dataclass(frozen=True, kw_only=True)
class Neighbour:
    """A peer as its operators see it.

    state:       as `Peer.shown_state`
    level:       how far it is trusted here; "" for a choice of single rights
    silent_since: since when it does not answer; None: it does
    selling:     grants of its producers to hubs here; offering: grants of producers here to its hubs
    """

    peer: Peer
    state: str
    level: str
    silent_since: datetime | None
    troubles: Sequence[ExplainedAlert]
    selling: int
    offering: int


def neighbours_page(visit: Visit, enterprise: None) -> Screen:
    with visit.read() as tx:
        shown = _neighbours(tx, visit.language)
        open_pairings = [pairing for pairing in pairings(tx) if _is_open(tx, pairing) or _is_warning(tx, pairing)]
    levels = {name: label for name, label, _ in level_words(visit.language)}
    open_pairings.sort(key=lambda pairing: pairing.is_suspicious)  # what can still be acted on comes first
    context = {"neighbours": shown, "pairings": open_pairings, "levels": levels}
    return Screen(template="federation/neighbours.html", context=context)


def _is_open(tx: Transaction, pairing: Pairing) -> bool:
    return pairing.shown_state(tx.now) in ("made", "opened", "shown")


def _is_warning(tx: Transaction, pairing: Pairing) -> bool:
    """Whether it has ended in the last days because somebody may have stood between the two sites."""
    return pairing.is_suspicious and pairing.changed_at > tx.now - WARNED


def _neighbours(tx: Transaction, language: str) -> list[Neighbour]:
    silent, counts = dict(away_peers(tx)), count_grants(tx)
    troubles = _troubles(alerts(tx), language)
    return [_neighbour(tx, peer, silent, counts, troubles) for peer in peers(tx, limit=_SHOWN)]


def _neighbour(
    tx: Transaction,
    peer: Peer,
    silent: Mapping[str, datetime],
    counts: Mapping[tuple[str, str], int],
    troubles: Mapping[str, Sequence[ExplainedAlert]],
) -> Neighbour:
    return Neighbour(
        peer=peer,
        state=peer.shown_state(tx.now),
        level=level_of(peer.scopes_given),
        silent_since=silent.get(peer.id),
        troubles=troubles.get(peer.id, ()),
        selling=counts.get((peer.id, "received"), 0),
        offering=counts.get((peer.id, "given"), 0),
    )


def _troubles(rows: Sequence[Alert], language: str) -> dict[str, list[ExplainedAlert]]:
    kinds, by_peer = peer_kinds(partial(translate, language)), dict[str, list[ExplainedAlert]]()
    for row in rows:
        kind = kinds.get(row.kind, PeerKind(row.kind, None))
        trouble = ExplainedAlert(
            kind=row.kind,
            title=kind.title or row.kind,
            text=row.text,
            count=row.count,
            last_at=row.last_at,
            meaning=kind.mail.meaning if kind.mail else "",
            todo=kind.mail.todo if kind.mail else "",
        )
        by_peer.setdefault(row.peer_id, []).append(trouble)
    return by_peer


def neighbour_page(visit: Visit, enterprise: None) -> Screen:
    federation = federation_of(visit.instance)
    with visit.read() as tx:
        peer = peer_by_id(tx, visit.path["peer"])
        counts, silent = count_grants(tx), dict(away_peers(tx))
        neighbour = _neighbour(tx, peer, silent, counts, _troubles(alerts(tx), visit.language))
        wishes = requested_scopes(federation, tx, peer)
        pairing = pairing_with(tx, peer.iri)
    levels = level_words(visit.language)
    context = {
        "neighbour": neighbour,
        "peer": peer,
        "fingerprint": fingerprint(peer),
        "pairing": pairing,
        "levels": levels,
        "level_names": {name: label for name, label, _ in levels},
        "rights": scope_words(visit.language),
        "rights_there": scope_words_there(visit.language),
        "wishes": wishes,
        "here": f"{HERE}/{peer.id}",
        "chosen": visit.form.get("level", "") or neighbour.level or "trade",
        "done": visit.query.get("done", ""),
    }
    return Screen(template="federation/neighbour.html", context=context)


@on_refusal(neighbour_page, {"level", "fingerprint"})
def post_neighbour(visit: Visit, enterprise: None) -> Screen | Response:
    """Does what the button says; what stops trade is shown with its effects before."""
    action, peer_id = visit.query.get("then", ""), visit.path["peer"]
    if action in ("suspend", "revoke") and visit.form.get("sure") != "1":
        return _ending_page(visit, action)
    done = _act(visit, action, peer_id)
    return visit.redirect(f"{HERE}/{peer_id}?done={done}")


def _act(visit: Visit, action: str, peer_id: str) -> str:
    """Returns the name of the message that says what was done. Raises `NotFound` for an unknown action."""
    federation = federation_of(visit.instance)
    if action == "accept":
        digits = visit.form.get("fingerprint", "")
        if not digits.strip():
            raise Conflict("peer_fingerprint", "Compare the fingerprint with its operator first.")
        accept(federation, peer_id, scopes_of_level(visit.form.get("level", "")), fingerprint=digits)
    elif action == "probe":
        return probe(federation, peer_id)
    else:
        with visit.write() as tx:
            _change(visit, tx, action, peer_by_id(tx, peer_id))
    return action


def _change(visit: Visit, tx: Transaction, action: str, peer: Peer) -> None:
    federation, form = federation_of(visit.instance), visit.form
    if action == "level":
        version = read_whole(form.get("version", "")) or 0
        change_scopes(federation, tx, peer.id, version, scopes_of_level(form.get("level", ""), peer.scopes_given))
    elif action == "suspend":
        suspend(tx, peer.id)
    elif action == "resume":
        resume(tx, peer.id)
    elif action == "revoke":
        revoke(federation, tx, peer.id, reason=form.get("reason", "").strip()[:500])
    elif action == "dismiss":
        dismiss_alert(tx, peer.id, form.get("kind", ""))
    else:
        raise NotFound


def _ending_page(visit: Visit, action: str) -> Screen:
    with visit.read() as tx:
        peer = peer_by_id(tx, visit.path["peer"])
        effects = effects_of_ending(tx, peer.id)
    context = {"peer": peer, "effects": effects, "action": action, "here": f"{HERE}/{peer.id}"}
    return Screen(template="federation/ending.html", context=context)
