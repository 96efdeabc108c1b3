"""A catalogue of any size is one document. It is written once for all who ask, and again only after a change."""

from __future__ import annotations

import gzip
import random
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import event

from commensal.catalogs.items import change_item, item_by_id
from commensal.catalogs.offers import set_price
from commensal.instance.settings import InstanceSettings
from commensal.testing.shop import Shop
from commensal_federation.dfc.read import read
from commensal_federation.dfc.vocabulary import DfcProduct
from commensal_federation.platforms import whole
from commensal_federation.platforms.whole import WrittenDocuments, written_documents

from .oidc import Oidc
from .platforms import V2, grant_scopes, request, settings_with

PATHS = ("/api/dfc/enterprises/shop", "/api/dfc/enterprises/shop/supplied_products", "/api/dfc/catalog_items")


@pytest.fixture
def settings(oidc: Oidc) -> InstanceSettings:
    return settings_with(oidc.issuer)


class Counted(WrittenDocuments):
    """Counts the documents that were written."""

    written = 0

    def keep(self, tag: str, content: bytes) -> bytes:
        self.written += 1
        return super().keep(tag, content)


@pytest.fixture
def documents(shop: Shop) -> Counted:
    counted = Counted()
    replaced: WrittenDocuments = counted
    shop.instance.state.replace(written_documents, replaced)
    return counted


def test_a_document_is_written_once_until_something_changes(shop: Shop, documents: Counted) -> None:
    for price, path in enumerate(PATHS, 777):
        documents.written = 0
        _read_and_change(shop, documents, path, price)


def _read_and_change(shop: Shop, documents: Counted, path: str, price: int) -> None:
    first, second = request(shop, shop.token, path), request(shop, shop.token, f"{path}?whatever=1")
    assert (documents.written, second.content, second.headers["ETag"]) == (1, first.content, first.headers["ETag"])
    with shop.instance.store.write() as tx:
        set_price(tx, shop.id, shop.items["carrots"], price)
    third = request(shop, shop.token, path)
    amount = f"{price / 100:.2f}".encode()
    assert (documents.written, amount in first.content, amount in third.content) == (2, False, True)
    assert request(shop, shop.token, path, headers={"If-None-Match": third.headers["ETag"]}).status_code == 304
    assert request(shop, shop.token, path, accept=V2).headers["Content-Type"] == V2
    assert documents.written == 3


def test_a_document_for_some_is_no_answer_for_others(shop: Shop, oidc: Oidc, documents: Counted) -> None:
    """The owner sees what is hidden. A platform does not, though it requests the same address."""
    grant_scopes(shop, "ofn", "ReadEnterprise", "ReadProducts")
    with shop.instance.store.write() as tx:
        soap = item_by_id(tx, shop.id, shop.items["soap"])
        change_item(tx, shop.id, soap.id, soap.version, hidden=True)
    for path in PATHS[:2]:
        contents = [request(shop, token, path).content for token in (shop.token, oidc.token("ofn-client"))]
        assert [len(read(content).all(DfcProduct)) for content in contents] == [5, 4]
        assert request(shop, oidc.token("litefarm"), path).status_code == 404
        assert request(shop, "", path).status_code == 401
    grant_scopes(shop, "ofn", "ReadEnterprise")
    assert read(request(shop, oidc.token("ofn-client"), PATHS[0]).content).all(DfcProduct) == ()


def test_a_document_is_sent_as_it_is_kept_to_who_reads_gzip(shop: Shop, documents: Counted) -> None:
    plain = request(shop, shop.token, PATHS[1], headers={"Accept-Encoding": "identity"})
    compressed = documents.get(plain.headers["ETag"])
    assert compressed is not None
    headers = {"Authorization": f"Bearer {shop.token}", "Accept-Encoding": "gzip"}
    for cookie in ({}, {"Cookie": "language=fr"}):  # whose pages the core may have to send as they are
        answer = shop.client.get(PATHS[1], headers={**headers, **cookie})
        assert (answer.content, answer.headers["Content-Encoding"]) == (plain.content, "gzip")
        assert (answer.headers["Content-Length"] == str(len(compressed))) is not bool(cookie)
        assert {"Accept-Encoding", "Authorization"} <= set(answer.headers["Vary"].split(", "))
    assert "content-encoding" not in plain.headers


def test_of_many_who_ask_at_once_one_writes(shop: Shop, documents: Counted) -> None:
    together = Barrier(6)

    def ask(number: int) -> bytes:
        together.wait(30)
        content: bytes = request(shop, shop.token, PATHS[0]).content
        return content

    with ThreadPoolExecutor(6) as pool:
        contents = set(pool.map(ask, range(6)))
    assert (len(contents), documents.written) == (1, 1)


def test_who_waits_too_long_for_the_document_of_another_may_come_again(
    shop: Shop, documents: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole, "PATIENCE", 0.01)
    with documents.writing():
        answer = request(shop, shop.token, PATHS[0])
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (503, "busy", "2")
    assert request(shop, shop.token, PATHS[0]).status_code == 200


def test_the_latest_documents_are_kept_and_no_more_than_there_is_room_for() -> None:
    noise = random.Random(1)
    contents = {f"tag-{number}": noise.randbytes(400) for number in range(3)}
    documents = WrittenDocuments(most=1000)

    def kept(tag: str) -> bytes | None:
        compressed = documents.get(tag)
        return None if compressed is None else gzip.decompress(compressed)

    documents.keep("tag-0", contents["tag-0"])
    documents.keep("tag-1", contents["tag-1"])
    assert kept("tag-0") == contents["tag-0"]
    documents.keep("tag-2", contents["tag-2"])
    assert [kept(tag) for tag in contents] == [contents["tag-0"], None, contents["tag-2"]]
    documents.keep("too large", noise.randbytes(1001))
    assert documents.get("too large") is None
    documents.keep("tag-2", contents["tag-2"])
    assert kept("tag-2") == contents["tag-2"]


def test_stock_is_looked_at_only_after_something_was_committed(shop: Shop) -> None:
    statements: list[str] = []
    event.listen(shop.instance.store.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))

    def asks_for_stock(*, tag: str = "") -> tuple[str, bool]:
        statements.clear()
        answer = request(shop, shop.token, PATHS[0], headers={"If-None-Match": tag})
        return answer.headers["ETag"], any("stock_lot" in statement for statement in statements)

    tag, _ = asks_for_stock()
    assert asks_for_stock(tag=tag) == (tag, False)
    with shop.instance.store.write() as tx:
        set_price(tx, shop.id, shop.items["carrots"], 777)
    new_tag, looked = asks_for_stock(tag=tag)
    assert (new_tag != tag, looked) == (True, True)
