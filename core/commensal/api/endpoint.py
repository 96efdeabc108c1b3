"""Describes an endpoint of the JSON API as data, from which routes, access checks and the OpenAPI document are made.

    routes = Routes("products")

    @routes.patch("/enterprises/{enterprise}/products/{product}", scope="products:write", edits=True)
    def change_product(call: Call, enterprise: str, product: str, body: ProductChanges) -> Product:
        \"\"\"Changes a product.\"\"\"
        return products.change_product(call.tx, enterprise, product, call.version, **changes(body))

Path parameters are passed by name; `body` and `query` are structs, which are validated strictly. The return annotation
is the schema of the response. An unsafe method runs in one writing transaction, which also stores the response if the
caller has sent an Idempotency-Key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Generic, TypeVar, get_type_hints

import msgspec

from ..base.converting import decode_json
from ..base.errors import Unauthorised
from ..base.hidden_fields import Kind, hidden_kinds
from ..base.own_scopes import NAME as OWN_SCOPE
from ..instance import Instance
from ..people.actor import ALL_SCOPES, OPERATOR, PUBLIC, SELF, Actor
from ..storage.database import Transaction

T = TypeVar("T")
Handler = TypeVar("Handler", bound=Callable[..., Any])


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body or query of a request. Unknown fields are refused."""


class OpenQuery(Body, frozen=True, kw_only=True):
    """A query that may have further parameters; they are passed in `others`, not validated."""

    others: Annotated[dict[str, Annotated[str, msgspec.Meta(max_length=1000)]], msgspec.Meta(max_length=50)] = {}


class Paging(Body, frozen=True, kw_only=True):
    """Pages by key: `after` is the `next` of the page before."""

    after: Annotated[str, msgspec.Meta(max_length=254)] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A page of a list. `next` is null on the last one."""

    items: Sequence[T]
    next: str | None


def page_of(rows: Sequence[T], limit: int, key: Callable[[T], str]) -> Page[T]:
    """A page of the rows `found`. A full page gets `next`, the key of its last item; there may be no further page."""
    return Page(items=rows, next=key(rows[-1]) if len(rows) == limit else None)


@dataclass(frozen=True)
class File:
    """A response that is not JSON: an export, an image. Browsers may cache an `unchanging` one for ever."""

    content: bytes
    media_type: str
    filename: str = ""
    unchanging: bool = False


@dataclass(frozen=True, kw_only=True)
class Stream:
    """A response of any length that is sent while it is made; only for GET.

    parts:   the content. The iterator opens its own transaction, since the call's has ended by then. It is closed at
             the end, or when the caller disconnects. An error before the first part becomes a problem document
    shown:   whether browsers show it instead of saving it
    headers: further headers of the response
    """

    parts: Iterator[bytes]
    media_type: str
    filename: str
    shown: bool = False
    headers: tuple[tuple[str, str], ...] = ()


def changes(body: Body) -> dict[str, Any]:
    """The fields of a PATCH that were sent, by name; those left out are UNSET."""
    return {name: value for name in body.__struct_fields__ if (value := getattr(body, name)) is not msgspec.UNSET}


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request that was validated and allowed. `version` is that of If-Match, for endpoints with `edits`; `key`
    identifies what the request begins, and stays the same when its sender repeats it with the same Idempotency-Key.
    `language` is that of texts in the response: `requested_language`, which Accept-Language prefers, or the instance's
    where that is empty. `tx` is the transaction of the request, and `prepared` what the endpoint's `prepare` or
    `proves` returned."""

    instance: Instance
    actor: Actor
    tx: Transaction
    language: str
    requested_language: str = ""
    version: int = 0
    key: str = ""
    prepared: Any = None

    @property
    def person_id(self) -> str:
        """The id of the person. Raises `Unauthorised` where nobody has logged in: for the scope `public`, and from the
        shell."""
        if self.actor.person_id is None:
            raise Unauthorised
        return self.actor.person_id


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """method:   of HTTP
    path:     below /api; parameters in braces
    scope:    what the caller must hold; the contract of the hook `endpoints` names them all
    status:   of the response on success
    edits:    If-Match is required; its version is passed as `call.version`
    needs_key: Idempotency-Key is required, not only accepted
    keeps:    the response is stored and sent again if the request is repeated with its Idempotency-Key. False for a
              response that holds a secret and is not `sealed`
    sealed:   the response holds a secret: it is stored encrypted, for the sender of the request only
    prepare:  runs before the transaction opens, with the same arguments but a read-only `call.tx`; its result is
              `call.prepared`. For slow work that must not hold the database: hooks, images, passwords
    proves:   runs after `prepare`, outside of every transaction, with the instance, the actor and the same arguments;
              its result is `call.prepared`. For attempts that are counted before they are checked: passwords
    after:    runs after the commit, with the handler's value and without a transaction; its result replaces the value.
              A repeated request calls the handler again, so that `after` still runs if a process died before it; the
              handler must then return what it began under `call.key`, in its present state
    takes:    media type of the body: JSON, or bytes that are passed on unread
    limit:    the rate limit: "reads", "writes", "logins" (where only failures stay counted) or "signups"
    plugin:   the id of the plugin that owns it; "" for the core
    where_off: it also answers for enterprises that have not enabled the plugin; others answer 404 there
    untraced: why an unsafe request that changes no traced row needs no entry in the audit trail; "": it gets one
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
    sealed: bool = False
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
    def body(self) -> object:
        return self.hints.get("body")

    @cached_property
    def hides(self) -> frozenset[Kind]:
        """The kinds of fields in its answers that some members of the enterprise may not read."""
        return frozenset() if self.scope in (PUBLIC, SELF, OPERATOR) else hidden_kinds(self.answer)

    @cached_property
    def may_come_empty(self) -> bool:
        """Whether the body may be left out: that of a POST all of whose fields have defaults. An empty PUT or PATCH is
        more likely a mistake."""
        return self.method == "POST" and self.body not in (None, bytes) and _accepts_nothing(self.body)

    @property
    def query(self) -> Any:
        return self.hints.get("query")

    @property
    def answer(self) -> object:
        return self.hints.get("return")


def _accepts_nothing(shape: object) -> bool:
    try:
        decode_json(b"{}", shape)
    except msgspec.ValidationError:
        return False
    return True


class Routes:
    """Collects the endpoints of one module; `tag` groups them in the OpenAPI document. `defaults` are fields of
    `Endpoint` that all of them share, as the `options` of one are its own.

        routes = Routes("returns")

        @routes.post("/enterprises/{enterprise}/returns", scope="orders:write", status=201)
        def note_return(call: Call, enterprise: str, body: NewReturn) -> Return:
            \"\"\"Notes what a customer has brought back.\"\"\"

    Raises `ValueError` for an unknown scope, a function without a docstring, and an answer with status 204.
    """

    def __init__(self, tag: str, **defaults: Any) -> None:
        self.tag, self.endpoints, self._more = tag, list[Endpoint](), defaults

    def get(self, path: str, *, scope: str, **options: object) -> Callable[[Handler], Handler]:
        """Declares the function below as the endpoint GET `path`."""
        return self._add("GET", path, scope, options)

    def post(self, path: str, *, scope: str, **options: object) -> Callable[[Handler], Handler]:
        """Declares the function below as the endpoint POST `path`."""
        return self._add("POST", path, scope, options)

    def put(self, path: str, *, scope: str, **options: object) -> Callable[[Handler], Handler]:
        """Declares the function below as the endpoint PUT `path`."""
        return self._add("PUT", path, scope, options)

    def patch(self, path: str, *, scope: str, **options: object) -> Callable[[Handler], Handler]:
        """Declares the function below as the endpoint PATCH `path`."""
        return self._add("PATCH", path, scope, options)

    def delete(self, path: str, *, scope: str, **options: object) -> Callable[[Handler], Handler]:
        """Declares the function below as the endpoint DELETE `path`, whose response is 204."""
        return self._add("DELETE", path, scope, {"status": 204, **options})

    def _add(self, method: str, path: str, scope: str, options: dict[str, object]) -> Callable[[Handler], Handler]:
        if scope not in ALL_SCOPES and not OWN_SCOPE.fullmatch(scope):
            known = ", ".join(sorted(ALL_SCOPES))
            raise ValueError(f"{method} {path}: {scope!r} is not a scope; there are {known}, and those of plugins")

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
                **{**self._more, **options},
            )
            if endpoint.status == 204 and endpoint.answer not in (None, type(None)):
                raise ValueError(f"{method} {path}: an answer of status 204 has no content; return None")
            self.endpoints.append(endpoint)
            return handler

        return declare
