"""Answers the requests of peers, whatever transport brought them: HTTP or a simulator.

POST inbox                                 one message (application/ld+json) or up to 50, a line each (x-ndjson)
POST ask                                   one message; answered with the message that answers it
POST requests                              a PeerRequest, of anybody
POST pairings                              a message about an invitation, of whoever has its link
GET  outbox?lane=&after=epoch.seq&limit=   our messages to the caller, as signed
GET  inbox?lane=&after=epoch.seq&limit=    the caller's messages that we have, as signed
GET  messages/<id>                         our answers to a message of the caller's
GET  enterprises/<id>                      which home speaks for an enterprise that lives or lived here
GET  hubs                                  our public hubs, to which enterprises of the caller's may grant
GET  names/<id>                            customers of our order who agreed to be named to its supplier
GET  documents/<name>?about=<IRI>          a document of a plugin, for whom it is
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

import msgspec

from commensal import Busy, Conflict, NotFound, Transaction

from ..catalogue.hubs import our_hubs
from ..delivery.calling import ENVELOPE, NDJSON
from ..delivery.documents import LARGEST, LONGEST_IRI
from ..delivery.inbox.admission import Admitted, Denied, admit, count_sent, prove_caller
from ..delivery.inbox.receiving import MOST, keep_nonce_of, receive_all
from ..delivery.outbox.breaker import retry_soon
from ..delivery.restore.restored import notice_restore
from ..delivery.sync.outbox_feed import answers_to, inbox_page, outbox_page
from ..delivery.values import Receipt
from ..moving.document import enterprise_document
from ..orders.hub_names import names_document
from ..peering.pairing.inviting import receive
from ..peering.requests import receive_request
from ..peers.limits import Replayed
from ..peers.peers import Peer, peer_by_id
from ..runtime import DocumentBinding, Federation, documents_of
from ..transport import Answer, Request

_PATH = re.compile(
    r"/-/federation/(inbox|outbox|ask|requests|pairings|messages|enterprises|names|hubs|documents)(?:/([A-Za-z0-9_.~-]{1,100}))?"
)
_JSON = ("content-type", "application/json")
_PROBLEM = ("content-type", "application/problem+json")


def serve(federation: Federation, request: Request, address: str) -> Answer:
    """Answers a request that was received whole. `request.url` is built from our own base address, header names are in
    lower case, `address` is the caller's."""
    try:
        return _serve(federation, request, address)
    except Denied as denial:
        return denied_answer(denial)
    except Replayed as error:
        return denied_answer(Denied(401, error.code, str(error)))
    except Conflict as error:  # meanwhile the peer was suspended, or its document replaced
        return denied_answer(Denied(403, error.code, str(error)))
    except Busy:
        return denied_answer(Denied(503, "busy", "try again in a moment", retry_after=1))


def denied_answer(denial: Denied) -> Answer:
    """A problem document (RFC 9457)."""
    body = {"title": denial.text, "status": denial.status, "code": denial.code, **denial.details}
    headers = [_PROBLEM, ("cache-control", "no-store")]
    if "retry_after" in denial.details:
        headers.append(("retry-after", str(denial.details["retry_after"])))
    return Answer(denial.status, headers, msgspec.json.encode(body))


def _serve(federation: Federation, request: Request, address: str) -> Answer:
    name, id = _target(request)
    notice_restore(federation)
    if name == "requests":
        return _receipt_answer(receive_request(federation, request.body, address))
    if name == "pairings":
        return receive(federation, request.body, address)
    peer = admit(federation, request, len(request.body), address)
    admitted = prove_caller(federation, peer, request, address)
    if name == "ask":
        return _ask(federation, admitted, request)
    if request.method == "POST":
        return _inbox(federation, admitted, request)
    count_sent(federation, peer, 1, 0)
    federation.instance.store.transact(lambda tx: _record_call(tx, admitted))
    if name == "messages":
        return answers_to(federation, peer, f"{peer.base}/-/federation/messages/{id}")
    if name == "enterprises":
        return _enterprise(federation, id)
    if name == "names":
        return _names(federation, peer, id)
    if name == "hubs":
        return _hubs(federation, peer)
    query = dict(parse_qsl(urlsplit(request.url).query))
    if name == "documents":
        return _document_answer(federation, peer, id, query.get("about", ""))
    return outbox_page(federation, peer, query) if name == "outbox" else inbox_page(federation, peer, query)


def _record_call(tx: Transaction, admitted: Admitted) -> None:
    """Stores the request's nonce; since the peer is up, delivery to it is retried soon."""
    keep_nonce_of(tx, admitted)
    retry_soon(tx, peer_by_id(tx, admitted.peer.id))


def _enterprise(federation: Federation, id: str) -> Answer:
    try:
        with federation.instance.store.read() as tx:
            document = enterprise_document(federation, tx, id)
    except NotFound as error:
        raise Denied(404, "not_found", "there is no such enterprise here") from error
    return Answer(200, [("content-type", ENVELOPE), ("cache-control", "no-store")], document)


def _names(federation: Federation, peer: Peer, id: str) -> Answer:
    try:
        with federation.instance.store.read() as tx:
            document = names_document(federation, tx, peer, id)
    except NotFound as error:
        raise Denied(404, "not_found", "nobody is named to you in such an order") from error
    return Answer(200, [("content-type", ENVELOPE), ("cache-control", "no-store")], document)


def _hubs(federation: Federation, peer: Peer) -> Answer:
    if not peer.active:
        raise Denied(403, "peer", f"the peer is {peer.state} here")
    with federation.instance.store.read() as tx:
        return Answer(200, [("content-type", NDJSON), ("cache-control", "no-store")], our_hubs(federation, tx))


def _target(request: Request) -> tuple[str, str]:
    match = _PATH.fullmatch(urlsplit(request.url).path)
    allowed = {
        "inbox": ("POST", "GET"),
        "outbox": ("GET",),
        "messages": ("GET",),
        "enterprises": ("GET",),
        "names": ("GET",),
        "hubs": ("GET",),
        "documents": ("GET",),
        "ask": ("POST",),
        "requests": ("POST",),
        "pairings": ("POST",),
    }
    if match is None:
        raise Denied(404, "not_found", "there is nothing here")
    if request.method not in allowed[match[1]]:
        raise Denied(405, "method", f"{match[1]} does not take {request.method}")
    return match[1], match[2] or ""


def _inbox(federation: Federation, admitted: Admitted, request: Request) -> Answer:
    media_type = _media_type(request)
    if media_type == ENVELOPE:
        bodies = [request.body]
    elif media_type == NDJSON:
        bodies = [line for line in request.body.split(b"\n") if line]
    else:
        raise Denied(415, "media_type", f"{ENVELOPE} or {NDJSON}")
    if not 0 < len(bodies) <= MOST:
        raise Denied(413, "too_many_at_once", f"1 to {MOST} messages")
    count_sent(federation, admitted.peer, len(bodies), len(request.body))
    receipts = receive_all(federation, admitted.peer, bodies, request=admitted)
    if media_type == ENVELOPE:
        return _receipt_answer(receipts[0])
    body = {"messages": [_receipt_members(receipt) for receipt in receipts]}
    return Answer(202, [_JSON, ("cache-control", "no-store")], msgspec.json.encode(body))


def _ask(federation: Federation, admitted: Admitted, request: Request) -> Answer:
    if _media_type(request) != ENVELOPE:
        raise Denied(415, "media_type", ENVELOPE)
    count_sent(federation, admitted.peer, 1, len(request.body))
    (receipt,) = receive_all(federation, admitted.peer, [request.body], request=admitted)
    if not receipt.taken:
        return _receipt_answer(receipt)
    answers = answers_to(federation, admitted.peer, receipt.id)
    first, _, _ = answers.body.partition(b"\n")
    if not first:
        return _receipt_answer(Receipt(202, receipt.id, receipt.code, receipt.text))
    return Answer(200, [("content-type", ENVELOPE), ("cache-control", "no-store")], first)


def _receipt_answer(receipt: Receipt) -> Answer:
    if not receipt.taken:
        return denied_answer(Denied(receipt.status, receipt.code, receipt.text, id=receipt.id))
    body = {"messages": [_receipt_members(receipt)]}
    return Answer(receipt.status, [_JSON, ("cache-control", "no-store")], msgspec.json.encode(body))


def _receipt_members(receipt: Receipt) -> Mapping[str, object]:
    members = {"id": receipt.id, "status": receipt.status, "code": receipt.code, "text": receipt.text}
    return {name: value for name, value in members.items() if value != ""}


def _media_type(request: Request) -> str:
    return next((value for name, value in request.headers if name == "content-type"), "").partition(";")[0].strip()


def _document_answer(federation: Federation, peer: Peer, name: str, about: str) -> Answer:
    """The answer to a caller who has proven to be this peer. Raises `Denied`."""
    binding = federation.instance.state.of(documents_of).get(name)
    if binding is None:
        raise Denied(404, "not_found", "there is no such document")
    if not peer.active or binding.document.scope not in peer.scopes_given:
        raise Denied(403, "scope", f"the scope {binding.document.scope} was not given to you")
    if not 0 < len(about) <= LONGEST_IRI or not about.isprintable():  # PostgreSQL looks up no text with U+0000
        raise Denied(422, "about", f"about names a thing by its IRI, of at most {LONGEST_IRI} characters")
    headers = [("content-type", "application/json"), ("cache-control", "no-store")]
    return Answer(200, headers, _written(federation, binding, peer, about))


def _written(federation: Federation, binding: DocumentBinding, peer: Peer, about: str) -> bytes:
    plugin, what = binding.plugin, f"document {binding.name}"
    try:
        with federation.instance.store.read() as tx, federation.instance.hooks.running(plugin, what, tx.hold):
            body = msgspec.json.encode(binding.document.write(federation, tx, peer, about))
    except NotFound as error:
        raise Denied(404, "not_found", "there is nothing about it for you") from error
    except Busy:
        raise
    except Exception as error:  # whatever the plugin raises: `running` has noted it
        raise Denied(500, "plugin", f"the plugin {plugin} failed here") from error
    if len(body) > LARGEST:
        raise Denied(500, "plugin", f"the document of {plugin} is larger than {LARGEST} bytes")
    return body
