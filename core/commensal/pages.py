"""What plugins with pages may use beside `commensal`: ``from commensal.pages import Visit, page``."""

from .api.cookies import clear_session, set_browser, set_session
from .parts.mail.kinds import plugin_mail_names
from .parts.mail.placeholders import mail_placeholders, refuse_unknown_placeholders, without_placeholders
from .parts.pages.cached_reads import UnchangedReads
from .parts.pages.form_fields import amount_field, day_field, moment_field, whole_field
from .parts.pages.mistakes import NO_MISTAKES, Mistakes, explain, mistakes, status_of
from .parts.pages.office import AddedPage, added_pages
from .parts.pages.page import page
from .parts.pages.parts import page_parts, parts_beside
from .parts.pages.post_redirect_get import shown_once
from .parts.pages.shop import AddedShopPage, added_shop_pages
from .parts.pages.visit import Visit
from .parts.pages.worker import service_worker
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
    "clear_session",
    "day_field",
    "explain",
    "mail_placeholders",
    "mistakes",
    "moment_field",
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
    "without_placeholders",
]
