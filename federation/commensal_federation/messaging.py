"""For plugins that exchange messages of their own with themselves at other instances: what they may import.

A plugin brings its types by the hook `message_types`; `plugins/README.md` has an example that is run. What is not
listed here belongs to the federation itself and changes without notice.
"""

from .delivery import post
from .delivery.documents import fetch_document
from .grants.partners import Home, copy_of_partner, enterprise_at, homes_of, peers_in_trade_with
from .messages.members import Term, declared, flag, moment, number, text, texts
from .messages.types import Failed, Handler, MessageType, PeerDocument, Reading, Received, Refuse, Sent, Wait, Writing
from .peers import Peer, peer_by_id, peer_by_iri, peers
from .peers.limits import refuse_over_quota, windows_of
from .runtime import Federation, federation_of
from .signing import Unreadable
from .signing.profile import write_moment
from .transport import Unreachable

__all__ = [
    "Failed",
    "Federation",
    "Handler",
    "Home",
    "MessageType",
    "Peer",
    "PeerDocument",
    "Reading",
    "Received",
    "Refuse",
    "Sent",
    "Term",
    "Unreachable",
    "Unreadable",
    "Wait",
    "Writing",
    "copy_of_partner",
    "declared",
    "enterprise_at",
    "federation_of",
    "fetch_document",
    "flag",
    "homes_of",
    "moment",
    "number",
    "peer_by_id",
    "peer_by_iri",
    "peers",
    "peers_in_trade_with",
    "post",
    "refuse_over_quota",
    "text",
    "texts",
    "windows_of",
    "write_moment",
]
