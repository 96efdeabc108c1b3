"""Pages that plugins add to the shop."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from ...enterprises.enterprises import Enterprise
from ...hooks import specifications
from ...hooks.values import Screen, ShopPage
from ...instance import Instance
from .added import run_added
from .visit import Visit


@dataclass(frozen=True, kw_only=True)
class AddedShopPage:
    """A page with the plugin that adds it."""

    plugin: str
    page: ShopPage

    def show(self, visit: Visit, enterprise: Enterprise) -> Screen | Response:
        """Answers a GET. Raises `NotFound` if the enterprise has not switched the plugin on, and what the page does."""
        return run_added(visit, self.plugin, f"shop page {self.page.path}", self.page.show, enterprise)

    def send(self, visit: Visit, enterprise: Enterprise) -> Screen | Response:
        """Answers a POST, otherwise like `show`. Only for a page with a form."""
        assert self.page.send is not None
        return run_added(visit, self.plugin, f"shop page {self.page.path}", self.page.send, enterprise)


def added_shop_pages(instance: Instance) -> list[AddedShopPage]:
    """The pages that the instance's plugins add, in the operator's order."""
    answers = instance.hooks.each(specifications.shop_pages)
    return [AddedShopPage(plugin=answer.plugin, page=page) for answer in answers for page in answer.value or ()]
