"""Answers are compressed, cached, and reveal nothing by their length."""

from __future__ import annotations

import gzip
import secrets
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from commensal.parts.pages import templates
from commensal.parts.pages.templates import Assets, asset_url, version_of
from commensal.parts.web import compression
from commensal.parts.web.compression import Compression

LONG = b"Carottes de printemps " * 200
MEMBER = {"Cookie": "session=1"}
ELSEWHERE = {**MEMBER, "Sec-Fetch-Site": "cross-site"}


@pytest.fixture
def client() -> TestClient:
    def page(request: Request) -> Response:
        size = int(request.query_params.get("size", "4400"))
        return Response(LONG[:size], media_type=request.headers.get("x-type", "text/html"))

    def signed(request: Request) -> Response:
        return Response(LONG, headers={"Content-Digest": "sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:"})

    def missing(request: Request) -> Response:
        return Response(LONG, 404)

    routes = [Route("/page", page), Route("/signed", signed), Route("/missing", missing)]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(Compression)]))


@pytest.mark.parametrize(
    ("path", "headers", "packed"),
    [
        ("/page", {}, True),
        ("/page?q=x", MEMBER | {"Sec-Fetch-Site": "same-origin"}, True),
        ("/page?q=x", MEMBER | {"Sec-Fetch-Site": "none"}, True),
        ("/page?q=x", {"Sec-Fetch-Site": "cross-site"}, True),  # a stranger follows a link: the page has nobody's data
        ("/page", ELSEWHERE, True),  # the link in the mail that a sale is open, read in a browser
        ("/page?q=x", ELSEWHERE, False),
        ("/page?q=x", MEMBER | {"Sec-Fetch-Site": "same-site"}, False),
        ("/page?q=x", MEMBER, False),  # an old browser does not say
        ("/missing", ELSEWHERE, False),
        ("/missing", {}, True),
        ("/signed", {}, False),
        ("/page?size=1000", {}, False),
        ("/page", {"X-Type": "image/webp"}, False),
        ("/page", {"Accept-Encoding": "identity"}, False),
    ],
)
def test_what_is_compressed_and_what_must_not_be(
    client: TestClient, path: str, headers: dict[str, str], packed: bool
) -> None:
    with client.stream("GET", path, headers={"Accept-Encoding": "gzip", **headers}) as answer:
        content = b"".join(answer.iter_raw())
    assert (answer.headers.get("content-encoding") == "gzip") is packed
    assert len(content) < 300 if packed else len(content) >= 1000
    assert (gzip.decompress(content) if packed else content) == LONG[: int(answer.request.url.params.get("size", 4400))]
    if packed:
        assert "Accept-Encoding" in answer.headers["vary"]


@pytest.mark.parametrize(("size", "bodies"), [(4_000, 1), (400_000, 0)])
def test_what_is_kept_compressed_is_small(size: int, bodies: int) -> None:
    """The whole catalogue of a platform is 25 MB, and 32 answers are kept."""
    content = secrets.token_bytes(size)

    def tagged(request: Request) -> Response:
        return Response(content, headers={"ETag": '"1"'})

    client = TestClient(Starlette(routes=[Route("/", tagged)], middleware=[Middleware(Compression)]))
    compression._compress_once.cache_clear()
    for _ in range(2):
        answer = client.get("/", headers={"Accept-Encoding": "gzip"})
        assert (answer.content, answer.headers["Content-Encoding"]) == (content, "gzip")
    assert compression._compress_once.cache_info().currsize == bodies


def test_a_file_of_a_plugin_is_asked_for_once_until_it_changes(tmp_path: Path) -> None:
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / "shop.css").write_text("a { color: red }", "ascii")

    def start_again() -> tuple[str, TestClient]:
        templates.version_of.cache_clear()  # as when the instance restarts
        return asset_url("shop", folder, "shop.css"), TestClient(
            Starlette(routes=[Mount("/-/shop/static", Assets(folder))])
        )

    before, client = start_again()
    response = client.get(before)
    assert (response.text, response.headers["cache-control"]) == (
        "a { color: red }",
        "public, max-age=31536000, immutable",
    )
    without_version = client.get("/-/shop/static/shop.css")
    assert (without_version.text, without_version.headers["cache-control"]) == ("a { color: red }", "public, no-cache")
    (folder / "shop.css").write_text("a { color: blue }", "ascii")
    after, client = start_again()
    assert after != before
    assert client.get(after).text == "a { color: blue }"
    old_address = client.get(before)  # a page that was open meanwhile
    assert (old_address.text, old_address.headers["cache-control"]) == ("a { color: blue }", "public, no-cache")
    for outside in ("@x/../../secret", "@x/%2e%2e/%2e%2e/secret", "nothing.css"):
        assert client.get(f"/-/shop/static/{outside}").status_code == 404
    version_of.cache_clear()
