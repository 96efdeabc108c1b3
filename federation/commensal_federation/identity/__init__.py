"""Identity: the keys of this instance, the document that publishes them, and the documents of other instances."""

from .begin import begin_identity
from .document import instance_document
from .keys import current_key, fingerprint_of
from .read import read_document, same_or_rotated
from .values import InstanceDocument

__all__ = [
    "InstanceDocument",
    "begin_identity",
    "current_key",
    "fingerprint_of",
    "instance_document",
    "read_document",
    "same_or_rotated",
]
