"""An instance: its document, its peers, and messages in numbered lanes. Everything is kept in memory."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from socket import create_server
from typing import Any

import httpx
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .signing import (
    Key,
    Unproven,
    check_proof,
    check_request,
    hash_of,
    prove,
    read_time,
    sign_request,
    write_json,
    write_time,
)

CONTEXT = "https://commensal.example/ns/federation/v1"
DOCUMENT_CONTEXT = ["https://www.w3.org/ns/cid/v1", CONTEXT]
ROOM = "/-/federation"
ONE, SEVERAL = "application/ld+json", "application/x-ndjson"
Message = dict[str, Any]


class Refused(Exception):
    """A peer refuses what we send, or we refuse what it sent. `status` is that of README.md."""

    def __init__(self, status: int, code: str, text: str = "") -> None:
        super().__init__(f"{status} {code}: {text}")
        self.status, self.code, self.text = status, code, text


@dataclass
class Lane:
    """One direction of a lane: the cursor of its last message, and the bytes of all."""

    epoch: int
    seq: int = 0
    prev: str = ""
    messages: list[bytes] = field(default_factory=list)

    def add(self, message: bytes, epoch: int, seq: int) -> None:
        self.epoch, self.seq, self.prev = epoch, seq, hash_of(message)
        self.messages.append(message)

    def begin(self, epoch: int) -> None:
        """Numbers count from 1 again. What came before is kept for a peer that has lost it."""
        self.epoch, self.seq, self.prev = epoch, 0, ""

    def after(self, cursor: str) -> list[bytes]:
        """The messages after a cursor `epoch.seq`; all of them where there is none."""
        start = tuple(int(part) for part in cursor.split(".")) if cursor else (0, 0)
        numbers = ((json.loads(message)["epoch"], json.loads(message)["seq"]) for message in self.messages)
        return [message for message, number in zip(self.messages, numbers, strict=True) if number > start]


@dataclass
class Peer:
    """Another instance, with the document to which its root key is pinned."""

    document: Message
    agreed: bool = False
    nonce_sent: str = ""  # of our request to trade, which only an acceptance of it repeats
    nonce_received: str = ""  # of the peer's own request
    scopes_given: set[str] = field(default_factory=set)  # what it may do here
    scopes_received: set[str] = field(default_factory=set)  # what we may do there
    sent: dict[str, Lane] = field(default_factory=dict)
    received: dict[str, Lane] = field(default_factory=dict)

    def has(self, iri: str) -> bool:
        """Whether this is an address of the peer's, for which it may speak."""
        return iri.startswith(self.document["id"].removesuffix("/.well-known/commensal") + "/")

    @property
    def keys(self) -> dict[str, str]:
        return {key["id"]: key["publicKeyMultibase"] for key in self.document["assertionMethod"]}


def check_document(document: Message, iri: str) -> Message:
    """Returns the instance document of this address if it is one. Raises Unproven."""
    key_set = document["keySet"]
    if document["id"] != iri or document["@context"] != DOCUMENT_CONTEXT:
        raise Unproven(f"this is not a document of {iri}")
    check_proof(key_set, {key_set["root"]["id"]: key_set["root"]["publicKeyMultibase"]})
    if any(key not in key_set["assertionMethod"] for key in document["assertionMethod"]):
        raise Unproven(f"a key of {iri} stands not in the set that its root key has signed")
    check_proof(document, {key["id"]: key["publicKeyMultibase"] for key in document["assertionMethod"]})
    return document


def check_successor(pinned: Message, new: Message) -> Message:
    """Returns the new document of a peer if it may replace the pinned one without a human. Raises Unproven."""
    before, after = pinned["keySet"], new["keySet"]
    if after["root"] != before["root"]:
        raise Unproven("its root key is another one")
    if after["version"] < before["version"] or read_time(new["published"]) < read_time(pinned["published"]):
        raise Unproven("it is older")
    if after["version"] == before["version"] and after != before:
        raise Unproven("it has another set of keys under the same version")
    return new


class Instance:
    """An instance at `base`, which is also where it listens."""

    def __init__(self, base: str, name: str, now: Callable[[], datetime]) -> None:
        self.base, self.name, self.now = base, name, now
        self.iri = f"{base}/.well-known/commensal"
        self.root, self.key, self.next_key = (self._new_key(name) for name in ("root", "k1", "k2"))
        self.key_set = self._sign_key_set([self.key.multikey(), self.next_key.multikey()])
        self.epoch = int(now().timestamp())  # of all lanes to all peers, until we are restored from a backup
        self.peers: dict[str, Peer] = {}
        self.enterprises: dict[str, Message] = {}  # authority documents of our own, by the last part of their address
        self.http = httpx.Client(trust_env=False)
        self.received: list[Message] = []
        self.replies: list[tuple[Peer, bytes]] = []  # that wait for their way out
        self.nonces: set[str] = set()  # of requests to us; one that lives long forgets them when they have expired
        self.online = True  # else nothing goes out, and whoever calls gets 503
        self.refusals: list[Refused] = []  # of what has come to us
        self.handlers: dict[str, Callable[[Peer, Message], None]] = {
            "PeerAccept": self._take_acceptance,
            "ScopesChanged": self._take_scopes,
            "KeyUpdate": self._take_document,
        }

    # -------------------------------------------------------------------------------------------- who we are

    def _new_key(self, name: str) -> Key:
        return Key(f"{self.iri}#{name}", Ed25519PrivateKey.generate())

    def _sign_key_set(self, keys: Sequence[Mapping[str, str]], version: int = 1) -> Message:
        """Signed once for each version, and served word for word until the keys change."""
        key_set = {
            "@context": DOCUMENT_CONTEXT,
            "id": f"{self.iri}#keys",
            "type": "KeySet",
            "controller": self.iri,
            "version": version,
            "published": write_time(self.now()),
            "root": self.root.multikey(),
            "assertionMethod": list(keys),
        }
        return prove(key_set, self.root, self.now())

    def change_key(self) -> None:
        """The key that everybody knows already signs from now on, and another one stands by."""
        ended = {**self.key.multikey(), "expires": write_time(self.now() + timedelta(days=60))}
        version = self.key_set["version"] + 1
        self.key, self.next_key = self.next_key, self._new_key(f"k{version + 1}")
        self.key_set = self._sign_key_set([ended, self.key.multikey(), self.next_key.multikey()], version)
        for peer in self.peers.values():
            update = {"type": "KeyUpdate", "document": write_json(self.document()).decode()}
            self.send(peer, "KeyUpdate", "peering", update)

    def document(self) -> Message:
        hour = self.now().replace(minute=0, second=0, microsecond=0)
        document = {
            "@context": DOCUMENT_CONTEXT,
            "id": self.iri,
            "type": "Instance",
            "name": self.name,
            "protocol": ["commensal-fed/1"],
            "inbox": f"{self.base}{ROOM}/inbox",
            "outbox": f"{self.base}{ROOM}/outbox",
            "ask": f"{self.base}{ROOM}/ask",
            "assertionMethod": self.key_set["assertionMethod"],
            "oldKeys": [],
            "keySet": self.key_set,
            "published": write_time(hour),
            "validUntil": write_time(hour + timedelta(days=7)),
        }
        return prove(document, self.key, hour)

    # -------------------------------------------------------------------------------------------- joining

    def request_peering(self, base: str, scopes: Sequence[str]) -> Peer:
        """Asks the operator of another instance to trade."""
        iri = f"{base}/.well-known/commensal"
        document = self._fetch_document(iri)
        peer = self.peers[iri] = Peer(document, nonce_sent=secrets.token_urlsafe(16), scopes_given=set(scopes))
        request = {
            "type": "PeerRequest",
            "document": write_json(self.document()).decode(),
            "nonce": peer.nonce_sent,
            "scopesGiven": list(scopes),
            "scopesWanted": list(scopes),
        }
        message = self._write(peer, "PeerRequest", "peering", request)
        self._call("POST", f"{base}{ROOM}/requests", message)
        return peer

    def accept_peering(self, peer: Peer, scopes: Sequence[str]) -> None:
        """Agrees to what another instance has asked for, which must be reached where it says it is."""
        peer.document = check_successor(peer.document, self._fetch_document(peer.document["id"]))
        peer.agreed, peer.scopes_given = True, set(scopes)
        acceptance = {"type": "PeerAccept", "nonce": peer.nonce_received, "scopesGiven": list(scopes)}
        self.send(peer, "PeerAccept", "peering", acceptance)

    def _fetch_document(self, iri: str) -> Message:
        return check_document(self.http.get(iri, follow_redirects=False).json(), iri)

    def _take_acceptance(self, peer: Peer, message: Message) -> None:
        if not peer.nonce_sent or message["object"]["nonce"] != peer.nonce_sent:
            raise Refused(403, "nonce", "We have asked for nothing of that nonce.")
        peer.agreed = True
        peer.scopes_received = set(message["object"]["scopesGiven"])

    def _take_scopes(self, peer: Peer, message: Message) -> None:
        peer.scopes_received = set(message["object"]["scopesGiven"])

    def _take_document(self, peer: Peer, message: Message) -> None:
        document = check_document(json.loads(message["object"]["document"]), message["actor"])
        peer.document = check_successor(peer.document, document)

    # -------------------------------------------------------------------------------------------- sending

    def send(self, peer: Peer, type: str, lane: str, object: Message) -> None:
        """Posts a message to the peer's inbox, or keeps it for the peer to fetch while we are offline.

        Raises Refused where the peer does not take it.
        """
        message = self._write(peer, type, lane, object)
        if self.online:
            self._call("POST", peer.document["inbox"], message)

    def reply(self, peer: Peer, message: Message, type: str, object: Message) -> None:
        """Answers a message that is being taken: at once where it was asked, else by the peer's inbox."""
        self.replies.append((peer, self._write(peer, type, message["lane"], object, in_reply_to=message["id"])))

    def ask(self, peer: Peer, type: str, lane: str, object: Message, *, expires: datetime) -> Message | None:
        """Posts a message and returns the answer to it; None where the answer will come by the usual way."""
        answer = self._call("POST", peer.document["ask"], self._write(peer, type, lane, object, expires))
        if answer.status_code != 200:
            return None
        self._check_message(peer, answer.content)
        self._take(peer, answer.content)
        return dict(json.loads(answer.content))

    def catch_up(self, peer: Peer, lane: str) -> None:
        """Fetches what the peer has said and we have not got."""
        known = peer.received.get(lane)
        after = f"&after={known.epoch}.{known.seq}" if known else ""
        answer = self._call("GET", f"{peer.document['outbox']}?lane={lane}{after}&limit=200")
        for line in answer.content.splitlines():
            self._check_message(peer, line)
            self._take(peer, line)

    def fetch(self, peer: Peer, path: str) -> Message:
        """A document of the peer's, below its address."""
        base = peer.document["id"].removesuffix("/.well-known/commensal")
        return dict(self._call("GET", f"{base}{path}").json())

    def _write(
        self, peer: Peer, type: str, lane: str, object: Message, expires: datetime | None = None, in_reply_to: str = ""
    ) -> bytes:
        place = peer.sent.setdefault(lane, Lane(self.epoch))
        envelope = {
            "@context": [CONTEXT],
            "id": f"{self.base}{ROOM}/messages/{secrets.token_hex(16)}",
            "type": type,
            "actor": self.iri,
            "to": peer.document["id"],
            "lane": lane,
            "epoch": place.epoch,
            "seq": place.seq + 1,
            **({"prev": place.prev} if place.prev else {}),
            "published": write_time(self.now()),
            **({"expires": write_time(expires)} if expires else {}),
            **({"inReplyTo": in_reply_to} if in_reply_to else {}),
            "object": object,
        }
        message = write_json(prove(envelope, self.key, self.now()))
        place.add(message, place.epoch, place.seq + 1)
        return message

    def _call(self, method: str, url: str, body: bytes = b"") -> httpx.Response:
        headers = {"content-type": ONE} if method == "POST" else {"accept": SEVERAL}
        request = self.http.build_request(method, url, headers=headers, content=body or None)
        answer = self.http.send(sign_request(request, self.key, self.now()))
        if answer.status_code not in (200, 202):
            raise Refused(answer.status_code, "", answer.text)
        return answer

    # -------------------------------------------------------------------------------------------- receiving

    def _receive_all(self, peer: Peer, lines: Sequence[bytes]) -> Iterator[Message]:
        """What becomes of each message."""
        for line in lines:
            try:
                message = self._check_message(peer, line)
                known = any(line in lane.messages for lane in peer.received.values())
                if not known:
                    self._take(peer, line)
                yield {"id": message["id"], "status": 200 if known else 202, "code": "", "text": ""}
            except (Refused, Unproven) as error:
                refusal = error if isinstance(error, Refused) else Refused(422, "document", str(error))
                self.refusals.append(refusal)
                id = json.loads(line).get("id", "")
                yield {"id": id, "status": refusal.status, "code": refusal.code, "text": refusal.text}

    def _check_message(self, peer: Peer, line: bytes) -> Message:
        message: Message = json.loads(line)
        try:
            check_proof(message, peer.keys)
        except Unproven as error:
            raise Refused(422, "proof", str(error)) from error
        if message["actor"] != peer.document["id"] or message["to"] != self.iri or not peer.has(message["id"]):
            raise Refused(403, "actor", "This is not yours to say, or not to us.")
        if message["@context"] != [CONTEXT]:
            raise Refused(422, "context", "Terms of messages mean what their context says, and nothing else.")
        return message

    def _take(self, peer: Peer, line: bytes) -> None:
        """Does what the next message of a lane says, unless it is not the next one."""
        message = json.loads(line)
        lane = peer.received.setdefault(message["lane"], Lane(epoch=message["epoch"]))
        if message["type"] == "EpochStart" and message["epoch"] > lane.epoch:
            for begun in peer.received.values():
                begun.begin(message["epoch"])
        if message["epoch"] > lane.epoch:
            raise Refused(425, "epoch", "EpochStart has not come yet.")
        if message["epoch"] == lane.epoch and message["seq"] > lane.seq + 1:
            raise Refused(425, "gap", f"We have {lane.seq} of this lane.")
        if (message["epoch"], message["seq"], message.get("prev", "")) != (lane.epoch, lane.seq + 1, lane.prev):
            raise Refused(409, "prev", "This contradicts what you have said.")
        if not peer.agreed and message["type"] != "PeerAccept":
            raise Refused(403, "peer", "We do not trade with you.")
        lane.add(line, message["epoch"], message["seq"])  # its number is used, even if it is refused
        self.received.append(message)
        expired = "expires" in message and read_time(message["expires"]) < self.now()
        if message["type"] in self.handlers and not expired:
            self.handlers[message["type"]](peer, message)

    # -------------------------------------------------------------------------------------------- serving

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Listens on the port of `base`."""
        url = httpx.URL(self.base)
        socket = create_server((url.host, url.port or 80))  # from here on callers wait, and are not refused
        server = uvicorn.Server(uvicorn.Config(Starlette(routes=self._routes()), lifespan="off", log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
        thread.start()
        try:
            yield
        finally:
            server.should_exit = True
            thread.join(30)
            self.http.close()

    def _routes(self) -> list[Route]:
        def route(path: str, method: str, answer: Callable[[httpx.Request], Response]) -> Route:
            async def endpoint(request: Request) -> Response:
                query = f"?{request.url.query}" if request.url.query else ""
                url = f"{self.base}{request.url.path}{query}"  # ours, whatever Host says
                headers = list(request.headers.items())
                ours = httpx.Request(method, url, headers=headers, content=await request.body())
                return await run_in_threadpool(self._answer, answer, ours)

            return Route(path, endpoint, methods=[method])

        return [
            route("/.well-known/commensal", "GET", lambda _: Response(write_json(self.document()), media_type=ONE)),
            route(f"{ROOM}/requests", "POST", self._serve_requests),
            route(f"{ROOM}/inbox", "POST", self._serve_inbox),
            route(f"{ROOM}/ask", "POST", self._serve_inbox),
            route(f"{ROOM}/outbox", "GET", lambda request: self._serve_lane(request, "sent")),
            route(f"{ROOM}/inbox", "GET", lambda request: self._serve_lane(request, "received")),
            route(f"{ROOM}/messages/{{id}}", "GET", self._serve_answers),
        ]

    def _answer(self, answer: Callable[[httpx.Request], Response], request: httpx.Request) -> Response:
        if not self.online:
            return Response(status_code=503)
        try:
            return answer(request)
        except (Unproven, Refused) as error:
            refusal = error if isinstance(error, Refused) else Refused(401, "signature", str(error))
            self.refusals.append(refusal)
            problem = {"status": refusal.status, "code": refusal.code, "detail": refusal.text}
            if refusal.status == 401:
                problem["server_time"] = write_time(self.now())
            return Response(write_json(problem), refusal.status, media_type="application/problem+json")

    def _caller(self, request: httpx.Request) -> Peer:
        """The peer that signed the request."""
        keys = {id: key for peer in self.peers.values() for id, key in peer.keys.items()}
        key_id, nonce = check_request(request, keys, self.now())
        if nonce in self.nonces:
            raise Unproven("this request has come before")
        self.nonces.add(nonce)
        return self.peers[key_id.partition("#")[0]]

    def _serve_requests(self, request: httpx.Request) -> Response:
        """Keeps the request of a stranger until our operator agrees."""
        message = json.loads(request.content)
        peer = Peer(check_document(json.loads(message["object"]["document"]), message["actor"]))
        self._check_message(peer, request.content)
        known = self.peers.get(message["actor"])
        if known:
            check_successor(known.document, peer.document)
        if known and known.agreed:
            return Response(status_code=200)
        peer.nonce_received = message["object"]["nonce"]
        peer.scopes_received = set(message["object"]["scopesGiven"])
        peer.received["peering"] = lane = Lane(message["epoch"])
        lane.add(request.content, message["epoch"], message["seq"])
        self.peers[message["actor"]] = peer
        return Response(status_code=202)

    def _serve_inbox(self, request: httpx.Request) -> Response:
        peer = self._caller(request)
        several = request.headers["content-type"] == SEVERAL
        results = list(self._receive_all(peer, request.content.splitlines() if several else [request.content]))
        if not several and results[0]["status"] not in (200, 202):
            raise Refused(results[0]["status"], results[0]["code"], results[0]["text"])
        replies, self.replies = self.replies, []
        if request.url.path.endswith("/ask") and replies:
            return Response(replies[0][1], 200, media_type=ONE)
        for receiver, reply in replies:
            self._call("POST", receiver.document["inbox"], reply)
        return Response(
            write_json({"messages": results}), 202 if several else results[0]["status"], media_type="application/json"
        )

    def _serve_lane(self, request: httpx.Request, direction: str) -> Response:
        lanes: dict[str, Lane] = getattr(self._caller(request), direction)
        lane = lanes.get(request.url.params["lane"]) or Lane(0)
        messages = lane.after(request.url.params.get("after", ""))[:200]
        headers = {"X-Fed-Head": f"{lane.epoch}.{lane.seq}", "X-Fed-Floor": f"{lane.epoch}.0"}
        return Response(b"\n".join(messages), headers=headers, media_type=SEVERAL)

    def _serve_answers(self, request: httpx.Request) -> Response:
        peer, id = self._caller(request), str(request.url)
        if not any(message["id"].endswith(id.rpartition("/")[2]) for message in self.received):
            raise Refused(404, "unknown", "That has not come.")
        lines = [line for lane in peer.sent.values() for line in lane.messages]
        return Response(
            b"\n".join(line for line in lines if json.loads(line).get("inReplyTo") == id), media_type=SEVERAL
        )
