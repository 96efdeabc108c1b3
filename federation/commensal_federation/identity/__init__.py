"""Identity: the keys of this instance, the document that publishes them, and the documents of other instances."""

from .document import instance_document
from .keys import current_key, fingerprint_of
from .read import InstanceDocument, read_document, same_or_rotated
from .rotation import begin_identity

__all__ = [
    "InstanceDocument",
    "begin_identity",
    "current_key",
    "fingerprint_of",
    "instance_document",
    "read_document",
    "same_or_rotated",
]
