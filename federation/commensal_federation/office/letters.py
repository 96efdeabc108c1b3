"""Messages that had no effect, for operators: by reason in words, to be sent again or given up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from commensal import NotFound, Screen, Transaction, translate
from commensal.pages import Visit, on_refusal

from ..delivery.outbox.dead_letters import Box, Letter, dead_letter, dead_letters, discard, replay
from ..delivery.proofs import kept_message
from ..peers.peers import peers
from ..runtime import federation_of

PATH = "letters"
HERE = f"/office/instance/{PATH}"
_SHOWN = 200  # of each direction
_BOXES: tuple[Box, ...] = ("out", "in")
# Parts of what is noted about a letter, each with the reason that people read; the first that fits counts.
_REASONS = (
    ("revoked", "ended"),
    ("no_grant", "permission"),
    ("not_granted", "permission"),
    ("scope", "permission"),
    ("no_hub", "unknown"),
    ("no_order", "unknown"),
    ("no_sale", "unknown"),
    ("no_lease", "unknown"),
    ("no_move", "unknown"),
    ("authority", "elsewhere"),
    ("moved", "elsewhere"),
    ("too_many", "full"),
    ("room", "full"),
    ("too_large", "full"),
    ("price", "differs"),
    ("currency", "differs"),
    ("unit", "differs"),
    ("quantity", "differs"),
    ("counts", "differs"),
    ("state", "differs"),
    ("proof", "unproven"),
    ("key", "unproven"),
    ("signature", "unproven"),
    ("document", "unproven"),
)


@dataclass(frozen=True, kw_only=True)
class LetterGroup:
    """Letters with one reason. `title` and `todo` are in the reader's language."""

    title: str
    todo: str
    letters: Sequence[Letter]


def letters_page(visit: Visit, enterprise: None) -> Screen:
    with visit.read() as tx:
        letters = [letter for box in _BOXES for letter in dead_letters(tx, box, limit=_SHOWN)]
        names = _names(tx)
    context = {
        "groups": _groups(letters, visit.language),
        "names": names,
        "kinds": kind_words(visit.language),
        "here": HERE,
        "done": visit.query.get("done", ""),
    }
    return Screen(template="federation/letters.html", context=context)


def _names(tx: Transaction) -> Mapping[str, str]:
    return {peer.id: peer.name for peer in peers(tx)}


def _groups(letters: Sequence[Letter], language: str) -> list[LetterGroup]:
    words = reason_words(language)
    by_reason: dict[str, list[Letter]] = {}
    for letter in letters:
        by_reason.setdefault(reason_of(letter.error), []).append(letter)
    return [
        LetterGroup(title=title, todo=todo, letters=by_reason[name])
        for name, (title, todo) in words.items()
        if name in by_reason
    ]


def reason_of(error: str) -> str:
    """The name of the reason of what is noted about a letter, like "422 no_grant There is no such grant."."""
    return next((name for part, name in _REASONS if part in error), "other")


def reason_words(language: str) -> Mapping[str, tuple[str, str]]:
    """Each reason with what the operator does about it."""
    return {
        "permission": (
            translate(language, "The permission had ended, or was never given"),
            translate(language, "Ask the producer whether it should be given again; then try again. Else give up."),
        ),
        "unknown": (
            translate(language, "The other side does not know what it is about"),
            translate(
                language,
                "It may have been restored from a backup: call its operator, who may try it again on their side too.",
            ),
        ),
        "differs": (
            translate(language, "What it says does not fit what the other side knows"),
            translate(language, "Compare the order or the product with the people of both sides before you try again."),
        ),
        "elsewhere": (
            translate(language, "The enterprise lives at another site now"),
            translate(language, "It speaks for itself from there: give up."),
        ),
        "full": (
            translate(language, "There was more than one neighbour may cost"),
            translate(language, "Raise its limits, or ask its operator to; then try again."),
        ),
        "unproven": (
            translate(language, "The signature was not believed"),
            translate(language, "Compare the digits with its operator: keys may have changed."),
        ),
        "ended": (
            translate(language, "The trade with this neighbour has ended"),
            translate(language, "People settle by telephone what was open: give up."),
        ),
        "other": (
            translate(language, "Other reasons"),
            translate(language, "Read what the machine has noted, and call the other operator."),
        ),
    }


def kind_words(language: str) -> Mapping[str, str]:
    """What a message of each type that people care about is."""
    return {
        "OrderUpdate": translate(language, "an order of a hub"),
        "OrderAnswer": translate(language, "a producer’s answer to an order"),
        "CatalogueUpsert": translate(language, "goods and prices"),
        "CatalogueWithdraw": translate(language, "goods that are sold no more"),
        "GrantOffer": translate(language, "a permission to sell"),
        "GrantAnswer": translate(language, "an answer to a permission"),
        "GrantEnd": translate(language, "the end of a permission"),
        "LeaseRequest": translate(language, "a request for stock"),
        "LeaseGrant": translate(language, "stock for a hub"),
        "LeaseReport": translate(language, "what a hub has sold and gives back"),
        "SaleProposal": translate(language, "a proposed sale"),
        "SaleAnswer": translate(language, "an answer to a proposed sale"),
    }


@on_refusal(letters_page)
def post_letters(visit: Visit, enterprise: None) -> Screen | Response:
    """Tries a letter again, or gives it up once the operator has read what that means."""
    action, box = visit.query.get("then", ""), visit.form.get("box", "")
    if box not in ("in", "out"):
        raise NotFound
    chosen: Box = "in" if box == "in" else "out"
    if action == "give-up" and visit.form.get("sure") != "1":
        return _giving_up_page(visit, chosen)
    with visit.write() as tx:
        done = _act(visit, tx, action, chosen)
    return visit.redirect(f"{HERE}?done={done}")


def _act(visit: Visit, tx: Transaction, action: str, box: Box) -> str:
    letter_id = visit.form.get("letter", "")
    if action == "retry":
        letter = replay(federation_of(visit.instance), tx, box, letter_id)
        return "again" if letter.state == "dead" else "retry"
    if action == "give-up":
        discard(tx, box, letter_id)
        return action
    raise NotFound


def _giving_up_page(visit: Visit, box: Box) -> Screen:
    letter_id = visit.form.get("letter", "")
    with visit.read() as tx:
        letter = dead_letter(tx, box, letter_id)
        message = kept_message(federation_of(visit.instance), tx, letter_id)
        names = _names(tx)
    context = {
        "letter": letter,
        "body": message.body,
        "name": names.get(letter.peer_id, ""),
        "here": HERE,
        "kinds": kind_words(visit.language),
    }
    return Screen(template="federation/giving_up.html", context=context)
