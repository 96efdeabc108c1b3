"""Documents of plugins for peers: denied unless the peer has the scope and the plugin gives it to this peer."""

from __future__ import annotations

import msgspec

from commensal import Busy, NotFound

from ..bindings import DocumentBinding, documents_of
from ..delivery.documents import LARGEST, LONGEST_IRI
from ..delivery.inbox.admission import Denied
from ..peers.values import Peer
from ..runtime import Federation
from ..transport import Answer


def document_answer(federation: Federation, peer: Peer, name: str, about: str) -> Answer:
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
