"""Requests what belongs to another on every route, as every possible asker, and reports the result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.instance import Instance
from commensal.parts.serving.app import endpoints_of
from commensal.people.actor import ENTERPRISE_SCOPES, OPERATOR, PUBLIC, SELF
from commensal.storage.database import Transaction

from .bodies import a_body, a_query
from .filling import MEMBERS, WORDS, AppRoute, fill, routes_of
from .settled import PRIVATE, Settled
from .settled import PUBLIC as SHOWN
from .watch import watching

# Routes whose path names something of others on purpose, with the reason why it is harmless.
OPEN = {
    "GET /api/me/sale-sessions/{session}/cart": "a cart of one's own, at a sale of whoever sells to the public",
    "PUT /api/me/sale-sessions/{session}/cart": "the same",
    "GET /api/-/account/me/shops/{shop}/account": "one's own account at a shop; where there is none, an empty one",
}

# Optional parameters that are sent too; a name in braces is an object of the victim, for every asker.
_QUERIES = {
    "GET /api/-/delivery/enterprises/{enterprise}/zones/serving": {"postcode": "01000"},
    "GET /api/enterprises/{enterprise}/product-list": {"catalog": "{catalog}"},
}
# What forms of pages send by their address, where it decides what the page shows; others only choose among rows.
PAGE_FIELDS = {"margin": "20", "step": "5"}
ROW_FIELDS = {"q", "sale", "show", "group", "person", "kind", "day", "since", "until"}
# What is refused to the asker's own token before any look-up.
_BY_LOG_IN = {
    "POST /api/me/invitations/{invitation}",
    "POST /api/me/household-invitations/{invitation}",
    "DELETE /api/me/sessions/{session}",
    "DELETE /api/me/tokens/{token}",
    "DELETE /api/me/enterprises/{enterprise}",
    "DELETE /api/me/households/{customer}/people/{person}",
}
_OTHERS = ("grantee", "supplier")  # they name another enterprise, as intended


@dataclass(frozen=True, kw_only=True)
class Asker:
    """A client. `settled` is its own enterprise."""

    name: str
    headers: Mapping[str, str] = field(default_factory=dict)
    settled: Settled | None = None
    by_token: bool = False  # of an enterprise, which belongs to no person
    by_own_token: bool = False
    operates: bool = False

    def __str__(self) -> str:
        return self.name

    @property
    def is_nobody(self) -> bool:
        return not self.headers


@dataclass(frozen=True)
class Attempt:
    """A request. `crossed` are the parameters that name another's objects below the asker's own enterprise."""

    route: AppRoute
    values: Mapping[str, str]
    crossed: tuple[str, ...] = ()
    ids: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        description = f" below one's own enterprise with another's {', '.join(self.crossed)}" if self.crossed else ""
        return f"{self.route}{description}{' with ids of another in its body' if self.ids else ''}"


@dataclass(kw_only=True)
class Village:
    """An instance with two unrelated enterprises, and the askers."""

    instance: Instance
    clock: ManualClock
    client: TestClient
    victim: Settled
    other: Settled
    askers: Mapping[str, Asker]
    hidden: bool = False

    @property
    def routes(self) -> list[AppRoute]:
        app: Any = self.client.app
        return routes_of(app, endpoints_of(self.instance))

    def ask(self, asker: Asker, attempt: Attempt) -> Any:
        body = a_body(attempt.route.endpoint, attempt.ids)
        headers = {"Idempotency-Key": self.instance.ids.secret(), "If-Match": '"1"', **body.pop("headers", {})}
        if attempt.route.endpoint is None and not attempt.route.safe:
            body = {"data": {"nothing": ""}}
        self.client.cookies.clear()
        return self.client.request(
            attempt.route.method,
            attempt.route.to(attempt.values),
            headers={**headers, **asker.headers},
            params=self._query(attempt.route),
            follow_redirects=False,
            **body,
        )

    def _query(self, route: AppRoute) -> dict[str, str]:
        is_page = route.endpoint is None and route.safe
        values = a_query(route.endpoint) | _QUERIES.get(str(route), {}) | (PAGE_FIELDS if is_page else {})
        with self.instance.store.read() as tx:
            return {name: value.format(**_ids(tx, self)) if "{" in value else value for name, value in values.items()}


def trespasses(village: Village, asker: Asker, routes: list[AppRoute] | None = None) -> list[str]:
    """Lists what an asker got of the victim's or did to it; the list should be empty."""
    violations = []
    with watching(village.instance) as watch:
        for attempt in attempts(village, asker, routes or village.routes):
            watch.wrote()
            answer = village.ask(asker, attempt)
            has_written = watch.wrote()
            violations += [
                f"{asker}: {attempt}: {violation}"
                for violation in _violations(village, asker, attempt, answer, has_written)
            ]
    return violations


def attempts(village: Village, asker: Asker, routes: list[AppRoute]) -> Iterator[Attempt]:
    """For every route with parameters: all of them another's, each of them, and ids of another in the body."""
    for route in routes:
        if not route.parameters and not route.safe:
            continue  # it names no objects but the asker's own
        if asker.operates and route.scope == OPERATOR:
            continue  # operators may
        with village.instance.store.read() as tx:
            values_of_victim = fill(tx, route, village.victim)
            own_values = fill(tx, route, asker.settled) if asker.settled else {}
            ids = _ids(tx, village)
        yield Attempt(route, values_of_victim)
        variants = [
            parameter
            for parameter in route.parameters
            if parameter not in WORDS and parameter not in (*_OTHERS, "enterprise", "shop")
        ]
        if own_values and "enterprise" in route.parameters:
            for variant in variants:
                yield Attempt(route, {**own_values, variant: values_of_victim[variant]}, (variant,))
            if len(variants) > 1:
                yield Attempt(route, {**values_of_victim, "enterprise": own_values["enterprise"]}, tuple(variants))
            if route.endpoint is not None and route.endpoint.body is not None:
                yield Attempt(route, own_values, (), ids)
        if own_values and route.safe:
            yield Attempt(route, own_values, ("nothing",))


def _ids(tx: Transaction, village: Village) -> dict[str, str]:
    names = ("product", "lot", "catalog", "item", "customer", "category", "image", "session", "coordination", "place")
    return fill(tx, AppRoute("GET", "".join(f"/{{{name}}}" for name in names)), village.victim)


def _violations(village: Village, asker: Asker, attempt: Attempt, answer: Any, has_written: bool) -> Iterator[str]:
    route, status = attempt.route, answer.status_code
    if status >= 500:
        yield f"answered {status}: {answer.text[:200]}"
    response_text = f"{answer.headers} {answer.content.decode(errors='replace')}"
    response_text = response_text.replace(route.to(attempt.values), "")  # the request's own path may be repeated
    if PRIVATE in response_text or (SHOWN in response_text and not _may_be_shown(village, route)):
        position = response_text.find("zqp")
        yield f"told {response_text[max(0, position - 80) : position + 20]!r}"
    if attempt.crossed == ("nothing",):
        return
    if attempt.ids:
        if has_written and _holds_ids_of_victim(village, answer):
            yield f"answered {status} and took in another's: {answer.text[:300]}"
        return
    statuses = _allowed(asker, attempt)
    if statuses is None or str(route) in OPEN:
        return
    if status not in statuses:
        yield f"answered {status} and not {' or '.join(map(str, sorted(statuses)))}: {answer.text[:200]}"
    if has_written:
        yield "wrote something"


def _may_be_shown(village: Village, route: AppRoute) -> bool:
    return not village.hidden and (route.scope == PUBLIC or str(route) in OPEN)


def _holds_ids_of_victim(village: Village, answer: Any) -> bool:
    with village.instance.store.read() as tx:
        return any(id in answer.text for id in _ids(tx, village).values())


def _allowed(asker: Asker, attempt: Attempt) -> set[int] | None:
    """The rule: strangers are asked to log in; others are not told that the object exists."""
    route = attempt.route
    if route.scope == PUBLIC:
        return None
    if route.scope == MEMBERS:  # without a person, a page leads to the log-in
        return {303} if asker.is_nobody else {404}
    if asker.is_nobody:
        return {401} if route.endpoint is not None else {303}
    if route.scope == OPERATOR:
        return {403}
    if route.scope == SELF:
        if asker.by_token or (asker.by_own_token and str(route) in _BY_LOG_IN):
            return {403}
        return {404} if route.parameters else None
    assert route.scope in ENTERPRISE_SCOPES or ":" in route.scope  # one of a plugin
    return {404}
