"""Checks of the database's invariants."""

from .invariants import broken_invariants

__all__ = ["broken_invariants"]
