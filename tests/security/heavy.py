"""Bodies of up to a megabyte, and queries as long as the server reads, that cause as much work as possible, for any
route."""

from __future__ import annotations

import io
import string
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import islice, product
from typing import Any
from urllib.parse import quote

import msgspec
from PIL import Image as Pillow

from .bodies import a_query
from .filling import AppRoute

MOST = 1_000_000  # bytes
LONGEST_QUERY = 60_000  # bytes; the server reads at most 64 KiB of a request line and headers
_WORDS = {"date-time": "9999-12-31T23:59:59Z", "date": "9999-12-31", "decimal": "1E+999999", "duration": "P99999999D"}
_HUGE = 10**18
_SHORT_NAMES = tuple(islice(map("".join, product(string.ascii_letters, repeat=3)), LONGEST_QUERY // 4))


def heavy_bodies(route: AppRoute) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields names and keyword arguments of requests."""
    if route.endpoint is None:
        yield from _forms()
    elif route.endpoint.body is bytes:
        for name, content in _files():
            yield name, {"content": content, "headers": {"Content-Type": route.endpoint.takes.replace("*", "png")}}
    elif route.endpoint.body is not None:
        schema = msgspec.json.schema(route.endpoint.body)
        for name, content in _documents(schema):
            yield name, {"content": content[:MOST], "headers": {"Content-Type": "application/json"}}


def heavy_queries(route: AppRoute) -> Iterator[tuple[str, str]]:
    """Yields queries with a name each, as they stand after the question mark."""
    required = a_query(route.endpoint)
    beside = [f"{name}={quote(value)}" for name, value in required.items()]
    yield "many parameters", _joined([*beside, *_SHORT_NAMES])
    yield "large parameters", _joined([*beside, *(f"p{number}={'%' * 1000}" for number in range(49))])
    yield "separators", "&" * LONGEST_QUERY
    yield "escapes", _joined([*beside, "q=" + "%C3%A9" * (LONGEST_QUERY // 7)])
    fields = [(name, f"{name}={quote(text)}") for name, text in _heavy_fields(route)]
    yield "repeated parameters", _joined([*beside, *[parameter for _, parameter in fields] * 1000])
    for name, parameter in fields if route.endpoint is not None else ():
        yield parameter[:30], _joined([*(other for other in beside if not other.startswith(f"{name}=")), parameter])


def usual_queries(route: AppRoute) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yields what people ask of a list, as `heavy_queries`, between which stand keyword arguments of the request."""
    required = "&".join(f"{name}={quote(value)}" for name, value in a_query(route.endpoint).items())
    yield "plain", {}, f"?{required}"
    if route.endpoint is None:
        for query in ("q=foyer", "q=carottes", "page=2", "page=999"):
            yield query, {}, f"?{query}"
    elif route.endpoint.query is not None:
        schema = msgspec.json.schema(route.endpoint.query)
        fields = schema["$defs"][schema["$ref"].rpartition("/")[2]].get("properties", {})
        if "limit" in fields:
            yield "longest", {}, f"?{required}&limit={fields['limit'].get('maximum', 1000)}"
        for name in ("search", "contains", "q"):
            if name in fields:
                yield f"{name}=e", {}, f"?{required}&{name}=e"


def _heavy_fields(route: AppRoute) -> Iterator[tuple[str, str]]:
    """Yields the parameters of a route, each with a text as long as it may be, which is dear to search for; of a page
    those that any page might read, which are sent together."""
    if route.endpoint is None or route.endpoint.query is None:
        yield from ((field, "é % _ a " * 200) for field in ("q", "search", "after", "page", "next", "category", "lang"))
        return
    schema = msgspec.json.schema(route.endpoint.query)
    for field, shape in schema["$defs"][schema["$ref"].rpartition("/")[2]].get("properties", {}).items():
        kinds = (shape, *shape.get("anyOf", ()))
        numbers = [kind for kind in kinds if kind.get("type") in ("integer", "number")]
        if numbers:
            yield field, str(numbers[0].get("maximum", _HUGE))
            yield field, "9" * 5000
        else:
            longest = min(LONGEST_QUERY // 3, *(kind.get("maxLength", LONGEST_QUERY) for kind in kinds))
            yield field, ("é % _ a " * (LONGEST_QUERY // 8))[:longest]
            yield field, "~" * longest  # the page after everything


def _joined(parameters: Iterable[str]) -> str:
    """As many of the parameters as a query holds."""
    taken, length = [], 0
    for parameter in parameters:
        length += len(parameter) + 1
        if length > LONGEST_QUERY:
            break
        taken.append(parameter)
    return "&".join(taken)


def _documents(schema: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    yield "numbers", b"[" + b"1," * (MOST // 2 - 2) + b"1]"
    yield "unknown fields", _many_keys()
    yield "brackets", b"[" * MOST
    properties = schema["$defs"][schema["$ref"].rpartition("/")[2]].get("properties", {})
    for name, element in (("wrong", b"{},"), ("texts", b'"a",'), ("lists", b"[],")):
        for size in (15_000, MOST - 1000):  # a small body is validated further
            share = max(size // max(len(properties), 1), 1)
            elements = b"[" + element * (share // len(element)) + element[:-1] + b"]"
            yield f"{name}, {size} bytes", _object((field, elements) for field in properties)
    for field, shape in properties.items():
        if shape.get("type") not in ("string", "integer", "number", "boolean"):
            yield f"{field} of many keys", _object([(field, _many_keys())])
    yield "extremes", msgspec.json.encode(_filled(schema, schema["$defs"], 3))
    yield "filled", msgspec.json.encode(_filled(schema, schema["$defs"], 1000))


@cache
def _many_keys() -> bytes:
    return _object((f"k{number}", b"1") for number in range(MOST // 12))


def _object(fields: Any) -> bytes:
    return b"{" + b",".join(b'"%s":%s' % (name.encode(), value) for name, value in fields) + b"}"


def _filled(schema: Mapping[str, Any], defs: Mapping[str, Any], max_items: int, depth: int = 0) -> Any:
    """Returns a value as large as the schema allows, with up to `max_items` items in a list and extreme numbers."""
    if "$ref" in schema:
        return _filled(defs[schema["$ref"].rpartition("/")[2]], defs, max_items, depth)
    if "anyOf" in schema:
        return _filled(
            next(choice for choice in schema["anyOf"] if choice.get("type") != "null"), defs, max_items, depth
        )
    if "enum" in schema:
        return schema["enum"][-1]
    kind = schema.get("type")
    if kind == "object":
        properties_ = {
            name: _filled(property_schema, defs, max_items, depth + 1)
            for name, property_schema in schema.get("properties", {}).items()
        }
        if isinstance(schema.get("additionalProperties"), Mapping):
            value = _filled(schema["additionalProperties"], defs, max_items, depth + 1)
            properties_ |= {
                f"key-{number}": value for number in range(_count(schema, "maxProperties", max_items, depth))
            }
        return properties_
    if kind == "array":
        value = _filled(schema.get("items", {}), defs, max_items, depth + 1)
        return [value] * _count(schema, "maxItems", max_items, depth)
    if kind == "string":
        if "pattern" in schema or "format" in schema:
            return _WORDS.get(schema.get("format", ""), "a")
        return "=é\u202e<" * (min(schema.get("maxLength", 4000), 4000) // 4)
    if kind in ("integer", "number"):
        return min(schema.get("maximum", _HUGE), _HUGE)
    return kind == "boolean" or None


def _count(schema: Mapping[str, Any], limit: str, max_items: int, depth: int) -> int:
    return int(min(schema.get(limit, max_items), max_items if depth < 3 else 10))


@cache
def _forms() -> tuple[tuple[str, dict[str, Any]], ...]:
    return tuple(_all_forms())


def _all_forms() -> Iterator[tuple[str, dict[str, Any]]]:
    form_headers = {"Content-Type": "application/x-www-form-urlencoded"}
    yield "fields", {"content": b"&".join(b"f%d=1" % number for number in range(MOST // 9)), "headers": form_headers}
    yield "equal fields", {"content": b"a&" * (MOST // 2), "headers": form_headers}
    yield "one field", {"content": b"q=" + b"%41" * (MOST // 3), "headers": form_headers}
    yield (
        "900 items",
        {"content": b"&".join(b"item-%036d=99" % number for number in range(900)), "headers": form_headers},
    )
    parted = {"Content-Type": "multipart/form-data; boundary=b"}
    part = b'--b\r\nContent-Disposition: form-data; name="f"\r\n\r\n1\r\n'
    yield "parts", {"content": part * (MOST // len(part)) + b"--b--\r\n", "headers": parted}
    dashes = b'--b\r\nContent-Disposition: form-data; name="f"\r\n\r\n' + b"\r\n-" * (MOST // 3) + b"\r\n--b--\r\n"
    yield "almost parts", {"content": dashes[:MOST], "headers": parted}
    for name, element in (("objects", b"{},"), ("named objects", b'{"@id":"a"},')):
        content = b"[" + element * (MOST // len(element) - 1) + b"{}]"
        yield name, {"content": content, "headers": {"Content-Type": "application/ld+json"}}


@cache
def _files() -> tuple[tuple[str, bytes], ...]:
    return tuple(_all_files())


def _all_files() -> Iterator[tuple[str, bytes]]:
    yield "lines", b"\n" * MOST
    yield "cells", b";" * MOST
    yield "quotes", b'"' * MOST
    yield "rows", b"name;price\n" + b"a;1\n" * (MOST // 4 - 4)
    yield "transfers", b"date;montant;libelle\n" + b"01/06/2026;1;a\n" * (MOST // 16 - 2)
    yield "a bomb of a workbook", _workbook()
    yield "a bomb of a picture", _picture()
    inner = b'<!DOCTYPE a [<!ENTITY a "' + b"a" * 1000 + b'">]><a>' + b"&a;" * 300_000 + b"</a>"
    yield "entities", b"<?xml version='1.0'?>" + inner
    yield "elements", b"<?xml version='1.0'?>" + b"<a>" * (MOST // 3 - 10)
    yield "references", b"date;montant;libelle\n" + (b"01/06/2026;1;" + b"RF98" + b" 1" * 900 + b"\n") * (MOST // 1850)
    yield "a batch", _batch()
    yield "entries", b":61:2601010101D1,00NTRF\n" * (MOST // 25)


def _batch() -> bytes:
    """An entry of an account with many transactions, beside many elements that each might look through."""
    transactions = b"<TxDtls><Amt Ccy='EUR'>1</Amt></TxDtls>" * 800
    others = b"<AddtlNtryInf></AddtlNtryInf>" * ((MOST - len(transactions) - 500) // 29)
    entry = b"<Amt Ccy='EUR'>1</Amt><CdtDbtInd>CRDT</CdtDbtInd><BookgDt><Dt>2026-06-01</Dt></BookgDt>" + others
    inner = b"<Ntry>" + entry + b"<NtryDtls>" + transactions + b"</NtryDtls></Ntry>"
    return b"<Document><BkToCstmrStmt><Stmt>" + inner + b"</Stmt></BkToCstmrStmt></Document>"


def _workbook() -> bytes:
    """A workbook compressed a thousandfold."""
    out = io.BytesIO()
    row = b'<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c></row>'
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as book:
        book.writestr("[Content_Types].xml", b"<Types/>")
        book.writestr(
            "xl/workbook.xml", b'<workbook><sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>'
        )
        book.writestr(
            "xl/_rels/workbook.xml.rels",
            b'<Relationships><Relationship Id="r1" Target="worksheets/a.xml"/></Relationships>',
        )
        book.writestr("xl/worksheets/a.xml", b"<worksheet><sheetData>" + row * 1_500_000 + b"</sheetData></worksheet>")
    return out.getvalue()[:MOST]


def _picture() -> bytes:
    out = io.BytesIO()
    Pillow.new("1", (12_000, 12_000)).save(out, "PNG")
    return out.getvalue()
