"""The form of a page that asks before something is done: whether it was left by yes or by no."""

from __future__ import annotations

from commensal.pages import Visit


def goes_back(visit: Visit) -> bool:
    """Whether the page that asks was left by "No, go back": the form comes again with what was typed."""
    return bool(visit.form.get("back"))


def is_sure(visit: Visit) -> bool:
    """Whether the form comes from the page that told what would happen."""
    return visit.form.get("sure") == "1"
