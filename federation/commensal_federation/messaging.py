"""For plugins that exchange messages of their own with themselves at other instances: what they may import.

A plugin brings its types by the hook `message_types`; `plugins/README.md` has an example that is run. What is not
listed here belongs to the federation itself and changes without notice.
"""

from .delivery import post
from .messages.reading import flag, moment, number, text, texts
from .messages.types import Failed, Handler, MessageType, Reading, Received, Refuse, Sent, Wait, Writing
from .peers import Peer, peer_by_id, peer_by_iri, peers
from .peers.quotas import refuse_over_quota
from .runtime import Federation, federation_of
from .signing import Unreadable

__all__ = [
    "Failed",
    "Federation",
    "Handler",
    "MessageType",
    "Peer",
    "Reading",
    "Received",
    "Refuse",
    "Sent",
    "Unreadable",
    "Wait",
    "Writing",
    "federation_of",
    "flag",
    "moment",
    "number",
    "peer_by_id",
    "peer_by_iri",
    "peers",
    "post",
    "refuse_over_quota",
    "text",
    "texts",
]
