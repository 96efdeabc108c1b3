"""Evidence about orders over the JSON API."""

from __future__ import annotations

from dataclasses import dataclass

from commensal import Call, Routes

from ..runtime import federation_of
from .writing import evidence_of

routes = Routes("federation_evidence", where_off=True)


@dataclass(frozen=True)
class EvidenceFile:
    """`file` is to be kept byte for byte, and verified by `commensal federation verify-evidence`."""

    file: str


@routes.get("/enterprises/{enterprise}/orders/{order}/evidence", scope="payments:read")
def order_evidence(call: Call, enterprise: str, order: str) -> EvidenceFile:
    """Returns all that was signed about an order with another instance, as one file that anybody can verify."""
    return EvidenceFile(evidence_of(federation_of(call.instance), call.tx, enterprise, order).decode())
