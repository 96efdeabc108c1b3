"""Stripe for tests, on this machine: `localstripe`, and in front of it what localstripe lacks.

localstripe (PyPI) is an offline fake of Stripe's API: payment intents, refunds, the balance and signed messages are its
own. It has no Checkout Sessions, no search and no idempotency keys. This module plays those, in the shapes of Stripe's
API reference (https://docs.stripe.com/api/checkout/sessions/object), on real sockets: the plugin talks to this server
through Stripe's own library, and `pay` does what a customer does on Stripe's page.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from stripe import WebhookSignature

SIGNING = "whsec_ours"
KEY = "sk_test_shop"
_CARD = {"number": "4242424242424242", "exp_month": "12", "exp_year": "2040", "cvc": "123"}
_SERVE = """
import socket
from aiohttp import web
from localstripe import resources, server
resources.Store.dump_to_disk = lambda store: None  # it would keep everything in one file of the machine
sock = socket.create_server(("127.0.0.1", 0))
print(sock.getsockname()[1], flush=True)
web.run_app(server.app, sock=sock, print=None)
"""

Answer = tuple[int, dict[str, Any]]


@contextmanager
def localstripe() -> Iterator[str]:
    """Runs localstripe on a free port of this machine. Yields its address."""
    process = subprocess.Popen([sys.executable, "-c", _SERVE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    key: str


@dataclass
class Provider:
    """What Stripe is asked and what it answers.

    away:   it takes requests and never answers
    silent: it does what it is asked, and its answers are lost on the way
    strict: it refuses to give money back
    slow:   it gives money back, but says so later
    then:   what happens after it has done something and before it answers
    """

    behind: str
    url: str = ""
    away: bool = False
    silent: bool = False
    strict: bool = False
    slow: bool = False
    then: Callable[[str], object] = field(default=lambda path: None)
    asked: list[Asked] = field(default_factory=list)
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    intents: list[dict[str, Any]] = field(default_factory=list)
    kept: dict[str, tuple[str, Answer]] = field(default_factory=dict)
    back: threading.Event = field(default_factory=threading.Event)
    lock: threading.RLock = field(default_factory=threading.RLock)
    number: Iterator[int] = field(default_factory=itertools.count)

    # ------------------------------------------------------------------------------------ the customer, and Stripe

    def pay(self, session_id: str, *, by_bank: bool = False) -> dict[str, Any]:
        """The customer pays on Stripe's page: by card, or by a bank that takes days to answer. Returns the session."""
        session = self.sessions[session_id]
        assert session["status"] == "open", "nobody can pay on a page that is closed"
        fields = {"amount": session["amount_total"], "currency": session["currency"]}
        fields |= {f"metadata[{name}]": value for name, value in session["metadata"].items()}
        if by_bank:
            intent: dict[str, Any] = {"id": f"pi_bank{next(self.number)}", "object": "payment_intent"}
            intent |= {"status": "processing", "amount": fields["amount"], "currency": fields["currency"]}
            intent["metadata"] = session["metadata"]
        else:
            card = self.post("/v1/payment_methods", {"type": "card"} | {f"card[{k}]": v for k, v in _CARD.items()})
            intent = self.post("/v1/payment_intents", {**fields, "payment_method": card["id"], "confirm": "true"})
        self.intents.append(intent)
        paid = {"payment_status": "unpaid" if by_bank else "paid", "status": "complete", "payment_intent": intent["id"]}
        session.update(paid)
        return session

    def bank_says(self, session_id: str, *, yes: bool) -> dict[str, Any]:
        """The bank decides after days on a payment that waited for it. Returns the session."""
        session = self.sessions[session_id]
        intent = self._intent(session["payment_intent"])
        intent["status"] = "succeeded" if yes else "requires_payment_method"
        session["payment_status"] = "paid" if yes else "unpaid"
        return session

    def expire(self, session_id: str) -> dict[str, Any]:
        self.sessions[session_id]["status"] = "expired"
        return self.sessions[session_id]

    def charged(self) -> int:
        """The sum that customers have paid, in Stripe's units."""
        return sum(intent["amount"] for intent in self.intents if intent["status"] == "succeeded")

    def refunded(self) -> int:
        """The sum that was given back."""
        refunds = httpx.get(f"{self.behind}/v1/refunds", params={"limit": 100}, auth=(KEY, ""), timeout=60).json()[
            "data"
        ]
        intent_ids = {intent["id"] for intent in self.intents}
        return sum(charge["amount"] for charge in refunds if charge["payment_intent"] in intent_ids)

    def post(self, path: str, form: Mapping[str, Any]) -> dict[str, Any]:
        answer = httpx.post(f"{self.behind}{path}", data=dict(form), auth=(KEY, ""), timeout=60)
        assert answer.is_success, answer.text
        return dict(answer.json())

    # ------------------------------------------------------------------------------------ the API

    def answer(self, method: str, path: str, query: str, body: bytes, key: str) -> Answer:
        """Answers as Stripe does: a key's first answer is repeated, and a key is for one request only."""
        with self.lock:
            self.asked.append(Asked(method, path, key))
            request_text = f"{method} {path} {body.decode()}"
            if key and key in self.kept:
                earlier_request, answer = self.kept[key]
                return (
                    answer
                    if earlier_request == request_text
                    else _error(400, "idempotency_error", "The key was used otherwise.")
                )
            answer = self._answer(method, path, parse_qs(query), parse_qs(body.decode()), query, body)
            if key and answer[0] < 500:
                self.kept[key] = (request_text, answer)
            return answer

    def _answer(
        self, method: str, path: str, query: Mapping[str, Any], form: Mapping[str, Any], raw: str, body: bytes
    ) -> Answer:
        parts = path.strip("/").split("/")[1:]
        match method, parts:
            case "POST", ["checkout", "sessions"]:
                return 200, self._new_session({name: values[0] for name, values in form.items()})
            case "GET", ["checkout", "sessions", name]:
                return self._session(name, expand="expand[0]" in query)
            case "POST", ["checkout", "sessions", name, "expire"]:
                if self.sessions[name]["status"] != "open":
                    return _error(400, "invalid_request_error", "Only open sessions can be expired.")
                return 200, self.expire(name)
            case "GET", ["payment_intents", "search"]:
                value = query["query"][0].partition(":")[2].strip("'")
                intents = [intent for intent in self.intents if value in intent["metadata"].values()]
                return 200, {"object": "search_result", "data": intents, "has_more": False, "url": path}
            case "GET", ["payment_intents", name] if name.startswith("pi_bank"):
                return 200, self._intent(name)
        if self.strict and (method, parts[0]) == ("POST", "refunds"):
            return _error(400, "invalid_request_error", "Your balance is too low.")
        answer = httpx.request(
            method, f"{self.behind}{path}?{raw}", content=body, headers=_FORM, auth=(KEY, ""), timeout=60
        )
        refund = answer.json()
        if self.slow and refund.get("object") == "refund":
            refund["status"] = "pending"
        return answer.status_code, refund

    def _new_session(self, form: Mapping[str, str]) -> dict[str, Any]:
        name = f"cs_test_{next(self.number)}"
        price = "line_items[0][price_data]"
        session = {
            "id": name,
            "object": "checkout.session",
            "mode": form["mode"],
            "status": "open",
            "payment_status": "unpaid",
            "payment_intent": None,
            "url": f"https://checkout.stripe.com/c/pay/{name}",
            "amount_total": int(form[f"{price}[unit_amount]"]),
            "currency": form[f"{price}[currency]"],
            "client_reference_id": form["client_reference_id"],
            "customer_email": form["customer_email"],
            "success_url": form["success_url"],
            "cancel_url": form["cancel_url"],
            "locale": form["locale"],
            "metadata": {n[9:-1]: value for n, value in form.items() if n.startswith("metadata[")},
        }
        self.sessions[name] = session
        return dict(session)

    def _session(self, name: str, *, expand: bool) -> Answer:
        if name not in self.sessions:
            return _error(404, "invalid_request_error", "No such session.")
        session = dict(self.sessions[name])
        if expand and session["payment_intent"]:
            session["payment_intent"] = self._intent(session["payment_intent"])
        return 200, session

    def _intent(self, name: str) -> dict[str, Any]:
        return next(intent for intent in self.intents if intent["id"] == name)


_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _error(status: int, kind: str, message: str) -> Answer:
    return status, {"error": {"type": kind, "message": message}}


def signed(
    kind: str, stripe_object: Mapping[str, Any], *, secret: str = SIGNING, at: int | None = None
) -> dict[str, Any]:
    """Returns a message of Stripe about one of its objects, as keyword arguments of a request."""
    body = json.dumps({"id": "evt_1", "object": "event", "type": kind, "data": {"object": dict(stripe_object)}})
    header = WebhookSignature.generate_signature_header(body, secret, at)
    return {"content": body.encode(), "headers": {"Stripe-Signature": header, "Content-Type": "application/json"}}


@contextmanager
def serve_provider(behind: str) -> Iterator[Provider]:
    provider = Provider(behind)

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body, parts = self.rfile.read(length), urlsplit(self.path)
            if provider.away:
                provider.back.wait()
                return
            key = self.headers.get("idempotency-key", "")
            if self.headers.get("authorization") != f"Bearer {KEY}":
                status, document = _error(401, "invalid_request_error", "Invalid API Key provided.")
            else:
                status, document = provider.answer(self.command, parts.path, parts.query, body, key)
                provider.then(f"{self.command} {parts.path}")
            if provider.silent:
                return
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = answer

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        provider.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield provider
        finally:
            provider.back.set()
            server.shutdown()
            thread.join()
