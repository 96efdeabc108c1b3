"""What plugins with pages may use beside `commensal`: ``from commensal.pages import Visit, page``."""

from .api.authenticate import clear_session, set_browser, set_session
from .parts.mail.placeholders import (
    mail_placeholders,
    plugin_mail_names,
    refuse_unknown_placeholders,
    without_placeholders,
)
from .parts.pages.added import AddedPage, AddedShopPage, added_pages, added_shop_pages, page_parts, parts_beside
from .parts.pages.cached_reads import UnchangedReads
from .parts.pages.forms import (
    NO_MISTAKES,
    Mistakes,
    amount_field,
    any_field,
    day_field,
    explain,
    mistakes,
    moment_field,
    on_refusal,
    status_of,
    whole_field,
    with_mistakes,
)
from .parts.pages.page import page
from .parts.pages.post_redirect_get import shown_once
from .parts.pages.templates import service_worker
from .parts.pages.visit import Visit
from .parts.web.origin_guard import allow_frames

__all__ = [
    "NO_MISTAKES",
    "AddedPage",
    "AddedShopPage",
    "Mistakes",
    "UnchangedReads",
    "Visit",
    "added_pages",
    "added_shop_pages",
    "allow_frames",
    "amount_field",
    "any_field",
    "clear_session",
    "day_field",
    "explain",
    "mail_placeholders",
    "mistakes",
    "moment_field",
    "on_refusal",
    "page",
    "page_parts",
    "parts_beside",
    "plugin_mail_names",
    "refuse_unknown_placeholders",
    "service_worker",
    "set_browser",
    "set_session",
    "shown_once",
    "status_of",
    "whole_field",
    "with_mistakes",
    "without_placeholders",
]
