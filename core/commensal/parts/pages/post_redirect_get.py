"""Post/Redirect/Get (RFC 9110, section 15.4.4): a page that answers a form gets a URL of its own.

Otherwise a browser that goes back to such a page, or reloads it, asks whether to send the form again, or shows
ERR_CACHE_MISS, because personal pages are not cached. The page is stored for an hour, encrypted with a key that is only
in its URL, so neither the database nor a backup reveals what somebody typed.
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

from ...api.authenticate import clears_session
from ...base.converting import decode_json
from ...base.errors import CommensalError
from ...people.codes import fingerprint
from ...storage.database import Transaction
from .tables import shown_page

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

    from .visit import Visit

PARAMETER = "shown"  # of the URL; its value is the id of the page
ONCE = "Commensal-Shown-Once"  # a header that marks a page with a secret, which must not be stored; it is never sent
LASTS = timedelta(hours=1)
_LARGEST = 256 * 1024  # characters of a stored page; a sale of 300 products takes a tenth of it, compressed
_DIRECT = (401, 403, 404, 413, 429)  # refusals before the form was read, and those that must not cause a write


class _ShownPage(msgspec.Struct):
    html: str
    status: int
    language: str


def redirect_to_shown_page(visit: Visit, response: Response) -> Response:
    """Stores the page that answers a POST, and returns a redirect to it. Returns the response itself if it is not a
    page or must not be stored."""
    once = response.headers.get(ONCE)
    if once is not None:
        del response.headers[ONCE]
    is_keepable = (
        isinstance(response, HTMLResponse) and response.status_code not in _DIRECT and response.status_code < 500
    )
    if visit.request.method != "POST" or once is not None or not is_keepable:
        return response
    page = _ShownPage(bytes(response.body).decode(), response.status_code, visit.language)
    page_id = visit.instance.ids.secret()
    logged_out = clears_session(response, visit.instance.settings.base_url)
    session_hash = None if logged_out else visit.actor.session_hash  # the session that the browser will have
    sealed = _seal(page_id, session_hash).encrypt(zlib.compress(msgspec.json.encode(page))).decode()
    if len(sealed) > _LARGEST:
        return response
    try:
        visit.instance.store.transact(lambda tx: _store(tx, page_id, sealed))
    except CommensalError:  # the database is busy: the response matters more than its URL
        return response
    redirect = RedirectResponse(f"{visit.request.url.path}?{PARAMETER}={page_id}", status_code=303)
    redirect.raw_headers += [header for header in response.raw_headers if header[0] == b"set-cookie"]
    return redirect


def shown_once(response: Response) -> Response:
    """Marks a page that contains a secret, so that it is not stored and cannot be seen again. Returns the response."""
    response.headers[ONCE] = "yes"
    return response


def find_shown_page(visit: Visit) -> Response | None:
    """The stored page of this URL, if it has not expired and belongs to the visitor's session and language."""
    from cryptography.fernet import InvalidToken

    page_id = visit.query.get(PARAMETER, "")
    if visit.request.method != "GET" or not page_id:
        return None
    statement = select(shown_page.c.sealed).where(shown_page.c.id_hash == fingerprint(page_id))
    with visit.read() as tx:
        sealed = tx.value(statement.where(shown_page.c.expires_at > tx.now))
    if sealed is None:
        return None
    try:
        seal = _seal(page_id, visit.actor.session_hash)
        page = decode_json(zlib.decompress(seal.decrypt(sealed)), _ShownPage)
    except InvalidToken:
        return None  # another session than when it was stored
    return visit.as_page(page.html, page.status) if page.language == visit.language else None


def forget_shown_pages(tx: Transaction) -> int:
    """Deletes expired pages. Returns their number."""
    return tx.execute(delete(shown_page).where(shown_page.c.expires_at <= tx.now)).rowcount


def _store(tx: Transaction, page_id: str, sealed: str) -> None:
    row = {"id_hash": fingerprint(page_id), "sealed": sealed, "expires_at": tx.now + LASTS}
    tx.execute(insert(shown_page).values(row))


def _seal(page_id: str, session_hash: str | None) -> Fernet:
    """The key of a page, from its id and the session: somebody else who gets the link cannot see the page."""
    from cryptography.fernet import Fernet  # slow to import, and most pages answer no form

    key = sha256(f"shown page\n{page_id}\n{session_hash or ''}".encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
