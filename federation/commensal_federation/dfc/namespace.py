"""The address under which our JSON-LD terms and their context are known, in this one place.

A name under `.example` never resolves, so each instance serves the context at ``/-/federation/context``.
"""

NAMESPACE = "https://commensal.example/ns/federation/v1"
