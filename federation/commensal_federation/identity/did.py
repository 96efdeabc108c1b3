"""The same keys as a did:web document (W3C CCG), for software that speaks DIDs. No trust comes from here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit


def did_document(document: Mapping[str, Any]) -> dict[str, Any]:
    """What our own instance document says, as did:web."""
    did = "did:web:" + quote(urlsplit(document["id"]).netloc, safe="")
    methods = [
        {**one, "id": did + one["id"].removeprefix(document["id"]), "controller": did}
        for one in document["assertionMethod"]
    ]
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did,
        "alsoKnownAs": [document["id"]],
        "verificationMethod": methods,
        "assertionMethod": [one["id"] for one in methods],
    }
