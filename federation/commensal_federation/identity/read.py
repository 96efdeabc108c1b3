"""Reads the document of another instance, and says whether a newer one may take its place.

Every step of "Retrieve Verification Method" (CID 1.0, 3.3) is a function of its own here: one that is left out lets
somebody put a key under another's name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from ..signing import BadKey, BadProof, PublicKey, Unreadable, canonical, read_json
from ..signing.moments import read_moment
from ..signing.proof import SKEW, check_proof, origin, read_proof
from .values import CONTEXT, VALID, InstanceDocument

LARGEST = 64 * 1024  # bytes
MOST_KEYS = 200
_LONGEST = 500


class BadDocument(Exception):
    """Not the document of that instance. `code` is for programs, `text` for operators."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text = code, text


def read_document(body: bytes, url: str, now: datetime) -> InstanceDocument:
    """Reads what was fetched from `url`, without a redirect. Raises `BadDocument`.

    That it proves itself says only that it is whole: who it is must be known from the fingerprint of its root key, or
    from the document that was pinned before (`same_or_rotated`).
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
    """Whether `new` may take the place of `pinned` without a human: the root key says so, and nothing goes back."""
    return all(rule(pinned, new) for rule in (_same_root, _no_older, _none_revived, _none_renamed))


def _read(document: dict[str, Any], url: str, now: datetime) -> InstanceDocument:
    _refuse_other_address(document, url)
    key_set = _object(document["keySet"])
    _refuse_other_contexts(document, key_set)
    root = _method(key_set["root"], url)
    _refuse_foreign_set(key_set, url)
    check_proof(key_set, read_proof(key_set), {root.id: root}, now)
    known = [_method(one, url) for one in _list(key_set["assertionMethod"])]
    _refuse_unknown_methods(document, key_set)
    live = [_method(one, url) for one in _list(document["assertionMethod"])]
    old = [_method(one, url) for one in _list(document["oldKeys"])]
    _refuse_crowd([root, *known, *old])
    keys = {one.id: one for one in [*live, *old]}
    check_proof(document, read_proof(document), {one.id: keys[one.id] for one in live}, now)
    published, valid_until = read_moment(document["published"]), read_moment(document["validUntil"])
    _refuse_times(published, valid_until, now)
    return InstanceDocument(
        iri=url,
        name=_text(document["name"]),
        inbox=_own_address(document["inbox"], url),
        outbox=_own_address(document["outbox"], url),
        ask=_own_address(document["ask"], url),
        protocols=tuple(_text(one) for one in _list(document["protocol"])),
        keys=keys,
        root=root,
        version=_version(key_set["version"]),
        published=published,
        valid_until=valid_until,
        document=document,
    )


def _refuse_other_address(document: Mapping[str, Any], url: str) -> None:
    """The document must say that it stands where it was found, or it could be put under anybody's address."""
    if document["id"] != url or document["type"] != "Instance" or urlsplit(url).fragment:
        raise BadDocument("other_address", "the document is of another address than it was fetched from")


def _refuse_other_contexts(document: Mapping[str, Any], key_set: Mapping[str, Any]) -> None:
    """One at the top, the same on the set of keys and in the two proofs that were made for them."""
    bare = {
        **{name: value for name, value in document.items() if name != "proof"},
        "keySet": {name: value for name, value in key_set.items() if name != "proof"},
    }
    if document["@context"] != CONTEXT or key_set["@context"] != CONTEXT or canonical(bare).count(b'"@context":') != 2:
        raise BadDocument("other_context", "the @context is not the one of instance documents")


def _refuse_foreign_set(key_set: Mapping[str, Any], url: str) -> None:
    if key_set["id"] != f"{url}#keys" or key_set["type"] != "KeySet" or key_set["controller"] != url:
        raise BadDocument("foreign_keys", "the set of keys is of another instance")


def _method(said: Any, url: str) -> PublicKey:
    """One verification method, which must be a Multikey that this instance controls."""
    said = _object(said)
    _refuse_foreign_controller(said, url)
    _refuse_foreign_key(said, url)
    expires = read_moment(said["expires"]) if "expires" in said else None
    revoked = read_moment(said["revoked"]) if "revoked" in said else None
    return PublicKey(said["id"], _text(said["publicKeyMultibase"]), expires, revoked).check()


def _refuse_foreign_controller(said: Mapping[str, Any], url: str) -> None:
    if said["type"] != "Multikey" or said["controller"] != url:
        raise BadDocument("foreign_controller", "a key is controlled by somebody else")


def _refuse_foreign_key(said: Mapping[str, Any], url: str) -> None:
    if not _text(said["id"]).startswith(f"{url}#"):
        raise BadDocument("foreign_key", "a key is named after somebody else")


def _refuse_unknown_methods(document: Mapping[str, Any], key_set: Mapping[str, Any]) -> None:
    """Only the root key can add a key: what the document lists must be of the set, word for word."""
    if not document["assertionMethod"] or any(
        one not in key_set["assertionMethod"] for one in document["assertionMethod"]
    ):
        raise BadDocument("unknown_method", "a key is not of the set that the root key has signed")


def _refuse_crowd(keys: list[PublicKey]) -> None:
    """Each key has one name, and each name one key; the live ones may be told twice, as known and as ended."""
    named = {one.id: one.multikey for one in keys}
    if any(named[one.id] != one.multikey for one in keys) or len(set(named.values())) != len(named):
        raise BadDocument("crowd", "two keys have one name, or one key has two")
    if len(keys) > MOST_KEYS:
        raise BadDocument("crowd", f"more than {MOST_KEYS} keys")


def _refuse_times(published: datetime, valid_until: datetime, now: datetime) -> None:
    if published > now + SKEW:
        raise BadDocument("future", "published in the future")
    if now > valid_until or now > published + timedelta(days=VALID):
        raise BadDocument("expired", "the document is no longer valid")


def _own_address(said: Any, url: str) -> str:
    if origin(_text(said)) != origin(url):
        raise BadDocument("foreign_address", "messages would be sent to another host")
    return str(said)


def _object(said: Any) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise ValueError("not an object")
    return said


def _list(said: Any) -> list[Any]:
    if not isinstance(said, list):
        raise ValueError("not a list")
    return said


def _text(said: Any) -> str:
    if not isinstance(said, str) or not 0 < len(said) <= _LONGEST:
        raise ValueError("not a text of usual length")
    return said


def _version(said: Any) -> int:
    if type(said) is not int or said < 1:
        raise ValueError("version is no whole number above 0")
    return said


Rule = Callable[[InstanceDocument, InstanceDocument], bool]


def _same_root(pinned: InstanceDocument, new: InstanceDocument) -> bool:
    """Whoever has taken over the address has another root key, and a human must look."""
    return new.iri == pinned.iri and new.root.multikey == pinned.root.multikey


def _no_older(pinned: InstanceDocument, new: InstanceDocument) -> bool:
    """An old document would bring back keys that have ended since; one version is one set."""
    if new.version == pinned.version and new.document["keySet"] != pinned.document["keySet"]:
        return False
    return new.version >= pinned.version and new.published >= pinned.published


def _none_revived(pinned: InstanceDocument, new: InstanceDocument) -> bool:
    """A key that was revoked stays revoked."""
    revoked = {one.multikey for one in pinned.keys.values() if one.revoked_at is not None}
    return not any(one.multikey in revoked and one.revoked_at is None for one in new.keys.values())


def _none_renamed(pinned: InstanceDocument, new: InstanceDocument) -> bool:
    """Old messages name their keys: a name must not come to mean another key."""
    return all(new.keys[id].multikey == key.multikey for id, key in pinned.keys.items() if id in new.keys)
