"""Asks every route for what is another's, as everybody who might, and says what came of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from starlette.testclient import TestClient

from commensal.instance import Instance
from commensal.instance.instance import DATABASE
from commensal.interfaces.app import endpoints_of
from commensal.storage.database import Transaction
from commensal.trade.people.scopes import ENTERPRISE_SCOPES, OPERATOR, PUBLIC, SELF

from .bodies import a_body, a_query
from .filling import WORDS, Way, fill, ways_of
from .settled import PRIVATE, Settled
from .settled import PUBLIC as SHOWN

# Routes whose path names something of others on purpose, with what keeps it harmless.
OPEN = {
    "GET /api/me/sale-sessions/{session}/cart": "a cart of one's own, at a sale of whoever sells to the public",
    "PUT /api/me/sale-sessions/{session}/cart": "the same",
    "GET /api/-/account/me/shops/{shop}/account": "one's own account at a shop; where there is none, an empty one",
}

# What is asked besides what must be; a name in braces is an object of the victim, for whoever asks.
_QUERIES = {
    "GET /api/-/delivery/enterprises/{enterprise}/zones/serving": {"postcode": "01000"},
    "GET /api/enterprises/{enterprise}/product-list": {"catalog": "{catalog}"},
}
# What is refused to a token of one's own, before anything is looked up.
_BY_LOG_IN = {"POST /api/me/invitations/{invitation}"}
_OTHERS = ("grantee", "supplier")  # they name another enterprise, and that is what they are for


@dataclass(frozen=True, kw_only=True)
class Asker:
    """Somebody who asks. `settled` is what they have of their own."""

    name: str
    headers: Mapping[str, str] = field(default_factory=dict)
    settled: Settled | None = None
    by_token: bool = False  # of an enterprise's, which is nobody's own
    by_own_token: bool = False
    operates: bool = False

    def __str__(self) -> str:
        return self.name

    @property
    def is_nobody(self) -> bool:
        return not self.headers


@dataclass(frozen=True)
class Attempt:
    """A request. `crossed` are the parameters that name another's things below the asker's own enterprise."""

    way: Way
    values: Mapping[str, str]
    crossed: tuple[str, ...] = ()
    ids: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        below = f" below one's own enterprise with another's {', '.join(self.crossed)}" if self.crossed else ""
        return f"{self.way}{below}{' with ids of another in its body' if self.ids else ''}"


@dataclass(kw_only=True)
class Village:
    """An instance with two enterprises that have nothing to do with each other, and those who may ask."""

    instance: Instance
    client: TestClient
    victim: Settled
    other: Settled
    askers: Mapping[str, Asker]
    hidden: bool = False

    @property
    def ways(self) -> list[Way]:
        app: Any = self.client.app
        return ways_of(app, endpoints_of(self.instance))

    def ask(self, asker: Asker, attempt: Attempt) -> Any:
        body = a_body(attempt.way.endpoint, attempt.ids)
        headers = {"Idempotency-Key": self.instance.ids.secret(), "If-Match": '"1"', **body.pop("headers", {})}
        if attempt.way.endpoint is None and not attempt.way.safe:
            body = {"data": {"nothing": ""}}
        self.client.cookies.clear()
        return self.client.request(
            attempt.way.method, attempt.way.to(attempt.values), headers={**headers, **asker.headers},
            params=self._query(attempt.way), follow_redirects=False, **body,
        )  # fmt: skip

    def _query(self, way: Way) -> dict[str, str]:
        asked = a_query(way.endpoint) | _QUERIES.get(str(way), {})
        with self.instance.store.read() as tx:
            return {name: value.format(**_ids(tx, self)) if "{" in value else value for name, value in asked.items()}


def trespasses(village: Village, asker: Asker, ways: list[Way] | None = None) -> list[str]:
    """What an asker got of the victim's, or did to it: an empty list is what must come out."""
    found = []
    watched = sqlite3.connect(village.instance.folder / DATABASE, isolation_level=None)
    with closing(watched):
        for attempt in attempts(village, asker, ways or village.ways):
            before = _writes(watched)
            said = village.ask(asker, attempt)
            wrote = _writes(watched) != before
            found += [f"{asker}: {attempt}: {what}" for what in _wrong(village, asker, attempt, said, wrote)]
    return found


def attempts(village: Village, asker: Asker, ways: list[Way]) -> Iterator[Attempt]:
    """For every route with parameters: all of them another's, each of them another's, and those named in its body."""
    for way in ways:
        if not way.parameters and not way.safe:
            continue  # it names nobody's things but the asker's own
        if asker.operates and way.scope == OPERATOR:
            continue  # who runs the instance may
        with village.instance.store.read() as tx:
            theirs = fill(tx, way, village.victim)
            own = fill(tx, way, asker.settled) if asker.settled else {}
            ids = _ids(tx, village)
        yield Attempt(way, theirs)
        things = [
            parameter
            for parameter in way.parameters
            if parameter not in WORDS and parameter not in (*_OTHERS, "enterprise", "shop")
        ]
        if own and "enterprise" in way.parameters:
            for thing in things:
                yield Attempt(way, {**own, thing: theirs[thing]}, (thing,))
            if len(things) > 1:
                yield Attempt(way, {**theirs, "enterprise": own["enterprise"]}, tuple(things))
            if way.endpoint is not None and way.endpoint.body is not None:
                yield Attempt(way, own, (), ids)
        if own and way.safe:
            yield Attempt(way, own, ("nothing",))


def _ids(tx: Transaction, village: Village) -> dict[str, str]:
    names = ("product", "lot", "catalog", "item", "customer", "category", "image", "session", "coordination", "place")
    return fill(tx, Way("GET", "".join(f"/{{{name}}}" for name in names)), village.victim)


def _writes(watched: sqlite3.Connection) -> int:
    """Grows with every commit of others."""
    version: int = watched.execute("PRAGMA data_version").fetchone()[0]
    return version


def _wrong(village: Village, asker: Asker, attempt: Attempt, said: Any, wrote: bool) -> Iterator[str]:
    way, status = attempt.way, said.status_code
    if status >= 500:
        yield f"answered {status}: {said.text[:200]}"
    told = f"{said.headers} {said.content.decode(errors='replace')}"
    told = told.replace(way.to(attempt.values), "")  # what was asked may be repeated
    if PRIVATE in told or (SHOWN in told and not _may_be_shown(village, way)):
        at = told.find("zqp")
        yield f"told {told[max(0, at - 80) : at + 20]!r}"
    if attempt.crossed == ("nothing",):
        return
    if attempt.ids:
        if wrote and _holds_theirs(village, said):
            yield f"answered {status} and took in another's: {said.text[:300]}"
        return
    allowed = _allowed(asker, attempt)
    if allowed is None or str(way) in OPEN:
        return
    if status not in allowed:
        yield f"answered {status} and not {' or '.join(map(str, sorted(allowed)))}: {said.text[:200]}"
    if wrote:
        yield "wrote something"


def _may_be_shown(village: Village, way: Way) -> bool:
    return not village.hidden and (way.scope == PUBLIC or str(way) in OPEN)


def _holds_theirs(village: Village, said: Any) -> bool:
    with village.instance.store.read() as tx:
        return any(id in said.text for id in _ids(tx, village).values())


def _allowed(asker: Asker, attempt: Attempt) -> set[int] | None:
    """The house's rule: nobody is asked to log in; who is somebody is not told that it exists."""
    way = attempt.way
    if way.scope == PUBLIC:
        return None
    if asker.is_nobody:
        return {401}
    if way.scope == OPERATOR:
        return {403}
    if way.scope == SELF:
        if asker.by_token or (asker.by_own_token and str(way) in _BY_LOG_IN):
            return {403}
        return {404} if way.parameters else None
    assert way.scope in ENTERPRISE_SCOPES
    return {404}
