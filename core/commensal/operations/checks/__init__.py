"""What must be true, always, asked of the database itself."""

from .invariants import broken_invariants

__all__ = ["broken_invariants"]
