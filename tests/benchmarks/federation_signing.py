"""Costs of signatures, as ratios to a bare Ed25519 signature: ``python tests/benchmarks/federation_signing.py``."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import rfc8785

from commensal_federation.signing import SigningKey, canonical, read_json, sign, sign_request, verify, verify_request
from commensal_federation.transport import Request

NOW = datetime(2026, 6, 4, 10, 0, tzinfo=UTC)
ACTOR = "https://hub-a.example/.well-known/commensal"
KEY = SigningKey.generate(f"{ACTOR}#k1")
CONTEXT, DFC = (
    ["https://commensal.example/ns/federation/v1"],
    "https://w3id.org/dfc/ontology/context/context_1.16.0.json",
)
NONCE = "bm9uY2Utb2YtMTI4LWJpdA"


def a_message(lines: int) -> dict[str, Any]:
    """An order of so many lines, each of about 400 bytes."""
    base = "https://hub-a.example/api/dfc"
    return {
        "@context": CONTEXT,
        "id": "https://hub-a.example/-/federation/messages/018f0000-0000-7000-8000-000000000000",
        "type": "OrderUpdate",
        "actor": ACTOR,
        "to": "https://hub-b.example/.well-known/commensal",
        "lane": "order",
        "epoch": 1780000000,
        "seq": 118,
        "published": "2026-06-04T10:00:00Z",
        "object": {
            "@context": DFC,
            "@id": f"{base}/orders/1",
            "hasPart": [
                {
                    "@id": f"{base}/orders/1/lines/{line}",
                    "@type": "dfc-b:OrderLine",
                    "dfc-b:concerns": {"@id": f"{base}/offers/{line}", "dfc-b:name": "Pommes récoltées à la main"},
                    "dfc-b:quantity": {"@type": "dfc-b:QuantitativeValue", "dfc-b:value": "2.5"},
                    "dfc-b:hasPrice": {"@type": "dfc-b:Price", "dfc-b:value": "6.25", "dfc-b:VATrate": "5.5"},
                }
                for line in range(lines)
            ],
        },
    }


def microseconds(action: Callable[[], object], at_least: float = 0.3) -> float:
    """Returns the median of several runs, since machines are shared."""
    action()
    runs, end = list[float](), time.perf_counter() + at_least
    while time.perf_counter() < end or len(runs) < 15:
        started = time.perf_counter()
        action()
        runs.append(time.perf_counter() - started)
    return statistics.median(runs) * 1e6


def main() -> None:
    digest = bytes(64)
    signature = KEY.sign(digest)
    bare_sign = microseconds(lambda: KEY.sign(digest))
    bare_verify = microseconds(lambda: KEY.public.verifies(signature, digest))
    print(f"{'':34} {'bytes':>8} {'sign µs':>9} {'verify µs':>9} {'of raw':>7} {'of raw':>7}")

    def line(name: str, size: int, signing: Callable[[], object], verifying: Callable[[], object]) -> None:
        signed, verified = microseconds(signing), microseconds(verifying)
        print(
            f"{name:34} {size:8,} {signed:9,.0f} {verified:9,.0f}"
            f" {signed / bare_sign:7.2f} {verified / bare_verify:7.2f}"
        )

    line("Ed25519 alone", 64, lambda: KEY.sign(digest), lambda: KEY.public.verifies(signature, digest))
    keys = {KEY.id: KEY.public}
    for name, lines in (("message", 0), ("order of 12 lines", 12), ("catalogue page of 500", 500)):
        message = a_message(lines)
        canonical_bytes = canonical(sign(message, KEY, NOW))
        line(
            f"proof, {name}",
            len(canonical_bytes),
            lambda message=message: canonical(sign(message, KEY, NOW)),  # type: ignore[misc]
            lambda written=canonical_bytes: verify(  # type: ignore[misc]
                read_json(written, 2**20), keys, NOW, context=CONTEXT, inside=[DFC]
            ),
        )
    request = Request(
        "POST", "https://hub-b.example/-/federation/inbox", [("content-type", "application/ld+json")], bytes(3000)
    )
    sent = sign_request(request, KEY, NOW, NONCE)
    line(
        "request, RFC 9421, 3 KB",
        3000,
        lambda: sign_request(request, KEY, NOW, NONCE),
        lambda: verify_request("POST", sent.url, sent.headers, sent.body, keys.get, NOW),
    )
    page = a_message(500)
    own_time, library_time = microseconds(lambda: canonical(page)), microseconds(lambda: rfc8785.dumps(page))
    print(f"canonical bytes of the page, profile checked: {own_time:,.0f} µs; rfc8785: {library_time:,.0f} µs")


if __name__ == "__main__":
    main()
