"""Pages that plugins add to the office."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from ...hooks import specifications
from ...hooks.values import OfficePage, Screen
from ...instance import Instance
from ...trade.enterprises.enterprises import Enterprise
from ...trade.people.scopes import OPERATOR
from .added import run_added
from .visit import Visit


@dataclass(frozen=True, kw_only=True)
class AddedPage:
    """A page with the plugin that adds it."""

    plugin: str
    page: OfficePage

    @property
    def is_for_operators(self) -> bool:
        """Whether it is a page of those who run the instance, and of no enterprise."""
        return self.page.scope == OPERATOR

    def show(self, visit: Visit, enterprise: Enterprise | None) -> Screen | Response:
        """Answers a GET. Raises `NotFound` if the enterprise has not switched the plugin on, and what the page does."""
        return self._run(self.page.show, visit, enterprise)

    def send(self, visit: Visit, enterprise: Enterprise | None) -> Screen | Response:
        """Answers a POST, otherwise like `show`. Only for a page with a form."""
        assert self.page.send is not None
        return self._run(self.page.send, visit, enterprise)

    def _run(self, act: Callable[[Any, Any], Any], visit: Visit, enterprise: Enterprise | None) -> Screen | Response:
        name = f"office page {self.page.path}"
        return run_added(visit, self.plugin, name, act, enterprise, where_off=self.page.where_off)


def added_pages(instance: Instance) -> list[AddedPage]:
    """The pages that the instance's plugins add, in the operator's order."""
    answers = instance.hooks.each(specifications.office_pages)
    return [AddedPage(plugin=answer.plugin, page=page) for answer in answers for page in answer.value or ()]
