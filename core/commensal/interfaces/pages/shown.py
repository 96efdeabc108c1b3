"""Post/Redirect/Get (RFC 9110, section 15.4.4): a page that answers a form gets an address of its own.

Without it, going back to such a page, or reloading it, makes the browser ask whether to send the form once more, or
show ERR_CACHE_MISS instead, because what is personal is not cached. The page is kept for an hour, encrypted with a key
that only its address holds, so neither the database nor a backup tells what somebody typed.
"""

from __future__ import annotations

import base64
import zlib
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import delete, insert, select
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ...base.converting import decode_json
from ...base.errors import CommensalError
from ...storage.database import Transaction
from ...trade.people.fingerprint import fingerprint
from ..api.cookies import clears_session
from .tables import shown_page

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

    from .visit import Visit

PARAMETER = "shown"  # of the address; its value is the page's id
ONCE = "Commensal-Shown-Once"  # a header that keeps a page with a secret from being kept; no browser gets it
LASTS = timedelta(hours=1)
_LARGEST = 256 * 1024  # characters of a kept page; a sale of 300 products has a tenth, compressed
_DIRECT = (401, 403, 413, 429)  # refused before the form was read, or so that nobody writes more than they may


class _Page(msgspec.Struct):
    html: str
    status: int
    language: str


def with_own_address(visit: Visit, response: Response) -> Response:
    """The redirect to the page that answers a POST; the response itself where it is no page, or must not be kept."""
    once = response.headers.get(ONCE)
    if once is not None:
        del response.headers[ONCE]
    kept = isinstance(response, HTMLResponse) and response.status_code not in _DIRECT and response.status_code < 500
    if visit.request.method != "POST" or once is not None or not kept:
        return response
    page = _Page(bytes(response.body).decode(), response.status_code, visit.language)
    page_id = visit.instance.ids.secret()
    logged_out = clears_session(response, visit.instance.settings.base_url)
    session_hash = None if logged_out else visit.actor.session_hash  # the log-in with which the browser comes back
    sealed = _seal(page_id, session_hash).encrypt(zlib.compress(msgspec.json.encode(page))).decode()
    if len(sealed) > _LARGEST:
        return response
    try:
        visit.instance.store.transact(lambda tx: _keep(tx, page_id, sealed))
    except CommensalError:  # the database is busy: the answer counts more than its address
        return response
    away = RedirectResponse(f"{visit.request.url.path}?{PARAMETER}={page_id}", status_code=303)
    away.raw_headers += [one for one in response.raw_headers if one[0] == b"set-cookie"]
    return away


def shown_once(response: Response) -> Response:
    """Marks a page with a secret that must not be seen again, whoever comes back to it."""
    response.headers[ONCE] = "yes"
    return response


def shown_before(visit: Visit) -> Response | None:
    """The page that this address was made for, if it is still kept, in the visitor's language, and theirs."""
    from cryptography.fernet import InvalidToken

    page_id = visit.query.get(PARAMETER, "")
    if visit.request.method != "GET" or not page_id:
        return None
    wanted = select(shown_page.c.sealed).where(shown_page.c.id_hash == fingerprint(page_id))
    with visit.read() as tx:
        sealed = tx.value(wanted.where(shown_page.c.expires_at > tx.now))
    if sealed is None:
        return None
    try:
        seal = _seal(page_id, visit.actor.session_hash)
        page = decode_json(zlib.decompress(seal.decrypt(sealed)), _Page)
    except InvalidToken:
        return None  # whoever was logged in then is not now
    return visit.as_page(page.html, page.status) if page.language == visit.language else None


def forget_shown_pages(tx: Transaction) -> int:
    """Deletes those that nobody gets any more. Returns how many."""
    return tx.execute(delete(shown_page).where(shown_page.c.expires_at <= tx.now)).rowcount


def _keep(tx: Transaction, page_id: str, sealed: str) -> None:
    row = {"id_hash": fingerprint(page_id), "sealed": sealed, "expires_at": tx.now + LASTS}
    tx.execute(insert(shown_page).values(row))


def _seal(page_id: str, session_hash: str | None) -> Fernet:
    """Opens for the address and the log-in together: a link that is passed on shows nothing of an account."""
    from cryptography.fernet import Fernet  # it takes long to load, and most pages answer no form

    key = sha256(f"shown page\n{page_id}\n{session_hash or ''}".encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
