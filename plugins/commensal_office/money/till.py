"""The till: what was counted in it against what the journal says should lie there."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from commensal import Invalid, PaymentMethod, Problem, Refused, read_whole
from commensal.pages import NO_MISTAKES, Mistakes, Visit, amount_field, mistakes, status_of
from commensal.parts.till import TillCount, count_till, take_back_count, till_counts, till_of
from commensal.payments import method_name, payment_methods

from ..frame.desk import open_desk
from ..frame.render import amount_in_field, show

_SHOWN = 10  # counts that are listed
_FIELDS = ("counted", "float_after", "reason", "expected", "method", "why")


def till_page(
    visit: Visit, typed: dict[str, str] | None = None, errors: Mistakes = NO_MISTAKES, status: int = 200
) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "payments:read")
    methods = _in_till(visit)
    with visit.read() as tx:
        tills = [(method, till_of(tx, desk.enterprise.id, method.id)) for method in methods]
        counts = till_counts(tx, desk.enterprise.id, limit=_SHOWN)
    nothing = amount_in_field(0, desk.enterprise.currency, visit.language)
    return show(
        visit,
        desk,
        "till",
        at="money",
        status=status,
        tills=tills,
        counts=counts,
        mistakes=errors,
        labels={count.method: method_name(count.method, visit.language) for count in counts},
        standing=_last_standing(counts),
        done=visit.query.get("done", ""),
        typed=typed or {"counted": "", "float_after": nothing, "reason": "", "why": ""},
    )


def _last_standing(counts: Sequence[TillCount]) -> set[str]:
    """The ids of the counts that can be taken back: of each way to pay the last one that stands. `counts` are newest
    first."""
    last: dict[str, str] = {}
    for count in counts:
        if count.taken_back is None:
            last.setdefault(count.method, count.id)
    return set(last.values())


def _in_till(visit: Visit) -> list[PaymentMethod]:
    """The ways to pay whose money lies in a till."""
    methods = payment_methods(visit.instance, visit.path["enterprise"], visit.language)
    return [method for method in methods if method.in_till]


def post_till(visit: Visit) -> Response:
    """Records a count, or takes one back by a counter-entry. What was shown as expected comes with the form, so that
    nothing slips in between."""
    typed = {name: visit.form.get(name, "") for name in _FIELDS}
    try:
        if visit.query.get("then") == "back":
            return _take_back(visit, typed["why"])
        with visit.read() as tx:
            desk = open_desk(tx, visit, "payments:write")
        if typed["method"] not in {method.id for method in _in_till(visit)}:
            raise Invalid([Problem("method", "Nothing of this way to pay lies in a till.")])
        counted, float_after = (
            amount_field(typed, name, desk.enterprise.currency) for name in ("counted", "float_after")
        )
        with visit.write() as tx:
            open_desk(tx, visit, "payments:write")
            count_till(
                tx,
                desk.enterprise.id,
                method=typed["method"],
                currency=desk.enterprise.currency,
                counted=counted,
                float_after=float_after,
                expected=_whole(typed["expected"]),
                reason=typed["reason"],
                person_id=visit.actor.person_id or "",
            )
    except Refused as error:
        return till_page(visit, typed, mistakes(visit, error, typed.__contains__), status_of(error))
    return visit.redirect(f"{desk.address}/money/till?done=1")


def _take_back(visit: Visit, why: str) -> Response:
    with visit.write() as tx:
        desk = open_desk(tx, visit, "payments:write")
        count_id, person_id = visit.form.get("count", ""), visit.actor.person_id or ""
        take_back_count(tx, desk.enterprise.id, count_id, reason=why, person_id=person_id)
    return visit.redirect(f"{desk.address}/money/till?done=back")


def _whole(text: str) -> int:
    """A number that the page itself has written into its form; 0 for what somebody has made of it."""
    return read_whole(text, 12, signed=True) or 0
