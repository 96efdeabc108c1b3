"""Checks of the database's invariants and pages."""

from .damaged_pages import damaged_pages
from .invariants import broken_invariants

__all__ = ["broken_invariants", "damaged_pages"]
