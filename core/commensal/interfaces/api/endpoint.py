"""An endpoint of the JSON API, as data. Routes, checks and the OpenAPI document are all made from it.

    routes = Routes("products")

    @routes.patch("/enterprises/{enterprise}/products/{product}", scope="products:write", edits=True)
    def change_product(call: Call, enterprise: str, product: str, body: ProductChanges) -> Product:
        \"\"\"Changes a product.\"\"\"
        return products.change_product(call.tx, enterprise, product, call.version, **changes(body))

Path parameters arrive by name; `body` and `query` are structs, read strictly; the annotation of the return value is the
schema of the answer. An unsafe method runs in one writing transaction, and its answer is kept in the same one when the
caller sent an Idempotency-Key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeVar, get_type_hints

import msgspec

from ...base.converting import decode_json
from ...instance import Instance
from ...storage.database import Transaction
from ...trade.people.actor import Actor
from ...trade.people.scopes import ALL_SCOPES

T = TypeVar("T")
Handler = TypeVar("Handler", bound=Callable[..., Any])


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a request may say: nothing beyond its fields."""


class OpenQuery(Body, frozen=True, kw_only=True):
    """A query that may say more than its fields: the rest arrives in `others`, unread."""

    others: Annotated[dict[str, Annotated[str, msgspec.Meta(max_length=1000)]], msgspec.Meta(max_length=50)] = {}


class Paging(Body, frozen=True, kw_only=True):
    """Pages by key: `after` is the `next` of the page before."""

    after: Annotated[str, msgspec.Meta(max_length=254)] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A page of a list. `next` is null on the last one."""

    items: Sequence[T]
    next: str | None


def page_of(found: Sequence[T], limit: int, key: Callable[[T], str]) -> Page[T]:
    """What was found as a page. A full one may have a next, which begins after the key of its last item."""
    return Page(items=found, next=key(found[-1]) if len(found) == limit else None)


@dataclass(frozen=True)
class File:
    """An answer that is not JSON: an export, an image. What is `unchanging` browsers need never ask for again."""

    content: bytes
    media_type: str
    filename: str = ""
    unchanging: bool = False


@dataclass(frozen=True, kw_only=True)
class Stream:
    """An answer that is sent while it is made, however long: only of a GET.

    parts:   what is sent. It opens what it needs itself, since the call's transaction is over by then, and is closed at
             the end, or when the caller goes away. An error before the first part is answered as a problem
    shown:   browsers show it instead of saving it
    headers: of the answer, besides the usual
    """

    parts: Iterator[bytes]
    media_type: str
    filename: str
    shown: bool = False
    headers: tuple[tuple[str, str], ...] = ()


def changes(body: Body) -> dict[str, Any]:
    """The fields of a PATCH that were sent; those left out are UNSET."""
    return {name: value for name in body.__struct_fields__ if (value := getattr(body, name)) is not msgspec.UNSET}


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request that was understood and allowed. `version` is what If-Match named, for endpoints that edit; `key` names
    what is begun by it: the same key each time that its sender repeats it with its Idempotency-Key."""

    instance: Instance
    actor: Actor
    tx: Transaction
    language: str
    version: int = 0
    key: str = ""
    prepared: Any = None

    @property
    def person_id(self) -> str:
        """Of somebody who is logged in: endpoints with any scope but `public` are never called otherwise."""
        assert self.actor.person_id is not None
        return self.actor.person_id


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """method:   HTTP
    path:     below /api; parameters in braces
    scope:    what the caller must hold; see `trade/people/scopes.py`
    status:   of the answer when all is well
    edits:    If-Match is required and its version handed to `call.version`
    needs_key: Idempotency-Key is required, not only understood
    keeps:    the answer is kept for who repeats the request with its Idempotency-Key; not one that holds a secret,
              unless `seals` names it
    seals:    fields of the answer that hold secrets: they are kept so that only who repeats the request can read them
    prepare:  runs before the transaction opens, with the same arguments but a reading `call.tx`; its result is
              `call.prepared`. For what must not run while the database is held: hooks, images, passwords
    proves:   runs after `prepare`, outside of every transaction, with the instance, the actor and the same arguments;
              its result is `call.prepared`. For what is counted before it is checked: passwords
    after:    runs after the commit, with the answer and without a transaction; its result replaces the answer. Where
              a process dies on the way there, who repeats the request must get there: so its handler is called each
              time, and gives what it began under `call.key` as it is now
    takes:    media type of the body: JSON, or bytes handed over as they are
    limit:    the rate that applies: "reads", "writes", "logins" (where only what ends in an error stays counted) or
              "signups"
    plugin:   whose it is; "" for the core's
    where_off: it answers at enterprises that have not switched the plugin on, too. Others are not found there
    untraced: why an unsafe request need leave no trace in the audit trail where no traced row changes; "": it must
    """

    method: str
    path: str
    scope: str
    handler: Callable[..., Any]
    tag: str
    status: int = 200
    edits: bool = False
    needs_key: bool = False
    keeps: bool = True
    seals: tuple[str, ...] = ()
    prepare: Callable[..., Any] | None = None
    proves: Callable[..., Any] | None = None
    after: Callable[..., Any] | None = None
    takes: str = "application/json"
    limit: str = ""
    plugin: str = ""
    where_off: bool = False
    untraced: str = ""
    hints: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def safe(self) -> bool:
        return self.method in ("GET", "HEAD")

    @property
    def name(self) -> str:
        return self.handler.__name__

    @property
    def body(self) -> Any:
        return self.hints.get("body")

    @property
    def may_come_empty(self) -> bool:
        """Whether a request without a body will do: of an action (POST) all of whose fields have defaults. With PUT and
        PATCH nothing at all is more likely a mistake than a wish."""
        return self.method == "POST" and self.body not in (None, bytes) and _accepts_nothing(self.body)

    @property
    def query(self) -> Any:
        return self.hints.get("query")

    @property
    def answer(self) -> Any:
        return self.hints.get("return")


def _accepts_nothing(shape: Any) -> bool:
    try:
        decode_json(b"{}", shape)
    except msgspec.ValidationError:
        return False
    return True


class Routes:
    """Collects the endpoints of one room; `tag` groups them in the OpenAPI document. `more` is what all of them are."""

    def __init__(self, tag: str, **more: Any) -> None:
        self.tag, self.endpoints, self._more = tag, list[Endpoint](), more

    def get(self, path: str, *, scope: str, **more: Any) -> Callable[[Handler], Handler]:
        return self._add("GET", path, scope, more)

    def post(self, path: str, *, scope: str, **more: Any) -> Callable[[Handler], Handler]:
        return self._add("POST", path, scope, more)

    def put(self, path: str, *, scope: str, **more: Any) -> Callable[[Handler], Handler]:
        return self._add("PUT", path, scope, more)

    def patch(self, path: str, *, scope: str, **more: Any) -> Callable[[Handler], Handler]:
        return self._add("PATCH", path, scope, more)

    def delete(self, path: str, *, scope: str, **more: Any) -> Callable[[Handler], Handler]:
        return self._add("DELETE", path, scope, {"status": 204, **more})

    def _add(self, method: str, path: str, scope: str, more: dict[str, Any]) -> Callable[[Handler], Handler]:
        if scope not in ALL_SCOPES:
            raise ValueError(f"{method} {path}: {scope!r} is no scope")

        def declare(handler: Handler) -> Handler:
            if not handler.__doc__:
                raise ValueError(f"{method} {path}: say in the docstring what it does")
            hints = get_type_hints(handler, include_extras=True)
            endpoint = Endpoint(
                method=method,
                path=path,
                scope=scope,
                handler=handler,
                tag=self.tag,
                hints=hints,
                **{**self._more, **more},
            )
            if endpoint.status == 204 and endpoint.answer not in (None, type(None)):
                raise ValueError(f"{method} {path}: an answer of status 204 has no content; return None")
            self.endpoints.append(endpoint)
            return handler

        return declare
