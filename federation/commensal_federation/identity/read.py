"""Reads the document of another instance, and decides whether a newer one may replace it.

Every step of "Retrieve Verification Method" (CID 1.0, 3.3) is a function of its own here: without any one of them,
somebody could publish a key in another's name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from ..dfc.namespace import NAMESPACE
from ..signing import BadKey, BadProof, CodedError, JsonObject, PublicKey, Unreadable, canonical, read_json
from ..signing.profile import read_moment
from ..signing.proof import SKEW, check_proof, origin, read_proof

# The document in which an instance describes itself, as others store it.

PROTOCOL = "commensal-fed/1"
CONTEXT = ["https://www.w3.org/ns/cid/v1", NAMESPACE]
VALID = 7  # days that a document is valid at most, whatever it declares


@dataclass(frozen=True)
class InstanceDocument:
    """The document of another instance, read and proven.

    keys:        live and ended keys by id; ended ones have `expires` or `revoked_at`
    root:        the key that alone can add keys; operators compare its fingerprint
    version:     of the key set; it only grows
    valid_until: UTC; afterwards the document must be fetched again
    document:    the JSON as received, to be pinned
    """

    iri: str
    name: str
    inbox: str
    outbox: str
    ask: str
    protocols: tuple[str, ...]
    keys: Mapping[str, PublicKey]
    root: PublicKey
    version: int
    published: datetime
    valid_until: datetime
    document: Mapping[str, Any]


LARGEST = 64 * 1024  # bytes
MOST_KEYS = 200
_LONGEST = 500


class BadDocument(CodedError):
    """This is not a valid document of that instance."""


def read_document(body: bytes, url: str, now: datetime) -> InstanceDocument:
    """Reads a document that was fetched from `url` without a redirect. Raises `BadDocument`.

    Its proofs show only that it is intact. Whose it is must follow from the fingerprint of its root key, or from the
    document pinned before (`same_or_rotated`).
    """
    try:
        return _read(read_json(body, LARGEST), url, now)
    except (Unreadable, BadProof) as error:
        raise BadDocument(error.code, error.text) from error
    except BadKey as error:
        raise BadDocument("bad_key", str(error)) from error
    except (KeyError, TypeError, ValueError) as error:
        raise BadDocument("malformed", f"a member is missing or not as it should be: {error}") from error


def same_or_rotated(pinned: InstanceDocument, new: InstanceDocument) -> bool:
    """Whether `new` may replace `pinned` without a human: same root key, nothing older, no key revived or renamed."""
    return all(rule(pinned, new) for rule in (_same_root, _not_older, _no_key_revived, _no_key_renamed))


def _read(document: dict[str, object], url: str, now: datetime) -> InstanceDocument:
    _refuse_other_address(document, url)
    key_set = _object(document["keySet"])
    _refuse_other_contexts(document, key_set)
    root = _method(key_set["root"], url)
    _refuse_foreign_set(key_set, url)
    check_proof(key_set, read_proof(key_set), {root.id: root}, now)
    set_keys = [_method(entry, url) for entry in _list(key_set["assertionMethod"])]
    _refuse_unknown_methods(document, key_set)
    live = [_method(entry, url) for entry in _list(document["assertionMethod"])]
    old = [_method(entry, url) for entry in _list(document["oldKeys"])]
    _refuse_ambiguous_keys([root, *set_keys, *old])
    keys = {key.id: key for key in [*live, *old]}
    check_proof(document, read_proof(document), {key.id: keys[key.id] for key in live}, now)
    published, valid_until = read_moment(document["published"]), read_moment(document["validUntil"])
    _refuse_times(published, valid_until, now)
    return InstanceDocument(
        iri=url,
        name=_text(document["name"]),
        inbox=_own_address(document["inbox"], url),
        outbox=_own_address(document["outbox"], url),
        ask=_own_address(document["ask"], url),
        protocols=tuple(_text(name) for name in _list(document["protocol"])),
        keys=keys,
        root=root,
        version=_version(key_set["version"]),
        published=published,
        valid_until=valid_until,
        document=document,
    )


def _refuse_other_address(document: JsonObject, url: str) -> None:
    """The document's id must be the address it came from, or it could be served from any address."""
    if document["id"] != url or document["type"] != "Instance" or urlsplit(url).fragment:
        raise BadDocument("other_address", "the document is of another address than it was fetched from")


def _refuse_other_contexts(document: JsonObject, key_set: JsonObject) -> None:
    """Only the two known contexts may occur: of the document and of the key set, apart from their proofs."""
    without_proofs = {
        **{name: value for name, value in document.items() if name != "proof"},
        "keySet": {name: value for name, value in key_set.items() if name != "proof"},
    }
    if (
        document["@context"] != CONTEXT
        or key_set["@context"] != CONTEXT
        or canonical(without_proofs).count(b'"@context":') != 2
    ):
        raise BadDocument("other_context", "the @context is not the one of instance documents")


def _refuse_foreign_set(key_set: JsonObject, url: str) -> None:
    if key_set["id"] != f"{url}#keys" or key_set["type"] != "KeySet" or key_set["controller"] != url:
        raise BadDocument("foreign_keys", "the set of keys is of another instance")


def _method(entry: Any, url: str) -> PublicKey:
    """Reads one verification method, which must be a Multikey that this instance controls."""
    entry = _object(entry)
    _refuse_foreign_controller(entry, url)
    _refuse_foreign_key(entry, url)
    expires = read_moment(entry["expires"]) if "expires" in entry else None
    revoked = read_moment(entry["revoked"]) if "revoked" in entry else None
    return PublicKey(entry["id"], _text(entry["publicKeyMultibase"]), expires, revoked).check()


def _refuse_foreign_controller(entry: JsonObject, url: str) -> None:
    if entry["type"] != "Multikey" or entry["controller"] != url:
        raise BadDocument("foreign_controller", "a key is controlled by somebody else")


def _refuse_foreign_key(entry: JsonObject, url: str) -> None:
    if not _text(entry["id"]).startswith(f"{url}#"):
        raise BadDocument("foreign_key", "a key is named after somebody else")


def _refuse_unknown_methods(document: JsonObject, key_set: JsonObject) -> None:
    """Only the root key can add a key: each listed method must equal one in the key set."""
    in_set, listed = _list(key_set["assertionMethod"]), _list(document["assertionMethod"])
    if not listed or any(entry not in in_set for entry in listed):
        raise BadDocument("unknown_method", "a key is not of the set that the root key has signed")


def _refuse_ambiguous_keys(keys: list[PublicKey]) -> None:
    """Each key must have one name and each name one key; a key may be listed both as live and as ended."""
    multikeys = {key.id: key.multikey for key in keys}
    if any(multikeys[key.id] != key.multikey for key in keys) or len(set(multikeys.values())) != len(multikeys):
        raise BadDocument("crowd", "two keys have one name, or one key has two")
    if len(keys) > MOST_KEYS:
        raise BadDocument("crowd", f"more than {MOST_KEYS} keys")


def _refuse_times(published: datetime, valid_until: datetime, now: datetime) -> None:
    if published > now + SKEW:
        raise BadDocument("future", "published in the future")
    if now > valid_until or now > published + timedelta(days=VALID):
        raise BadDocument("expired", "the document is no longer valid")


def _own_address(address: object, url: str) -> str:
    if origin(_text(address)) != origin(url):
        raise BadDocument("foreign_address", "messages would be sent to another host")
    return str(address)


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise ValueError("not a list")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
        raise ValueError("not a text of usual length")
    return value


def _version(value: object) -> int:
    if type(value) is not int or value < 1:
        raise ValueError("version is not a whole number above 0")
    return value


Rule = Callable[[InstanceDocument, InstanceDocument], bool]


def _same_root(pinned: InstanceDocument, new: InstanceDocument) -> bool:
    """Somebody who took over the address has another root key; then a human must decide."""
    return new.iri == pinned.iri and new.root.multikey == pinned.root.multikey


def _not_older(pinned: InstanceDocument, new: InstanceDocument) -> bool:
    """An older document would bring back keys that have ended since. One version is one key set."""
    if new.version == pinned.version and new.document["keySet"] != pinned.document["keySet"]:
        return False
    return new.version >= pinned.version and new.published >= pinned.published


def _no_key_revived(pinned: InstanceDocument, new: InstanceDocument) -> bool:
    """A key that was revoked stays revoked."""
    revoked = {key.multikey for key in pinned.keys.values() if key.revoked_at is not None}
    return not any(key.multikey in revoked and key.revoked_at is None for key in new.keys.values())


def _no_key_renamed(pinned: InstanceDocument, new: InstanceDocument) -> bool:
    """Old messages refer to keys by name, so a name must keep its key."""
    return all(new.keys[id].multikey == key.multikey for id, key in pinned.keys.items() if id in new.keys)
