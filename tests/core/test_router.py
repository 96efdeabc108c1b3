"""The index finds the same routes as trying them one after the other."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.testclient import TestClient

from commensal.api.router import RouteIndex


def _route(path: str, *methods: str) -> Route:
    async def say(request: Request) -> Response:
        return PlainTextResponse(f"{path} {dict(request.path_params)}")

    return Route(path, say, methods=list(methods or ("GET",)))


def _routes() -> list[BaseRoute]:
    return [
        _route("/api/lots/{lot}"),
        _route("/api/lots", "POST"),
        _route("/api/lots"),
        _route("/api/lot-{lot}"),
        _route("/api/{rest:path}"),
        Mount("/-/shop", routes=[_route("/"), _route("/about/{page}")]),
        _route("/"),
        _route("/sales/{sale}/"),
        _route("/{page}"),
    ]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/lots/7"),
        ("GET", "/api/lots"),
        ("POST", "/api/lots"),
        ("DELETE", "/api/lots"),
        ("GET", "/api/lot-7"),
        ("GET", "/api/nothing/at/all"),
        ("GET", "/api/"),
        ("GET", "/api"),
        ("GET", "/"),
        ("GET", "/-/shop"),
        ("GET", "/-/shop/about/us"),
        ("GET", "/-/nobody"),
        ("GET", "/sales/7"),
        ("GET", "/us"),
        ("GET", "//"),
        ("POST", "/us/and/them"),
        ("HEAD", "/api/lots/7"),
    ],
)
def test_a_request_gets_the_answer_that_all_routes_in_a_row_would_give(method: str, path: str) -> None:
    answers = [
        TestClient(Starlette(routes=routes)).request(method, path) for routes in (_routes(), [RouteIndex(_routes())])
    ]
    assert (
        len({(answer.status_code, answer.text, answer.url.path, answer.headers.get("allow")) for answer in answers})
        == 1
    )
