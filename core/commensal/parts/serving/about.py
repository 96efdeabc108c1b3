"""What a served program owes to everybody who uses it: its source (AGPL-3.0, section 13), and where to report a
weakness (``/.well-known/security.txt``, RFC 9116)."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from importlib.metadata import version

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ...api.rates import Rates
from ...instance import Instance
from ..setup.project_files import source_files
from ..web.rendered_once import rendered_once

SOURCE, SECURITY = "/source.zip", "/.well-known/security.txt"
_HOLDS_FOR = timedelta(days=180)  # RFC 9116, 2.5.5 wants less than a year


def about_routes(instance: Instance, rates: Rates) -> list[Route]:
    """The source of what runs; and security.txt, if the settings name a contact."""
    routes = [rendered_once(SOURCE, _source, "application/zip", instance=instance, rates=rates)]
    if instance.settings.security.contact:

        async def serve_security(_: Request) -> Response:
            return PlainTextResponse(_security_text(instance), headers={"Cache-Control": "public, max-age=86400"})

        routes.append(Route(SECURITY, serve_security))
    return routes


def _source() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path, file in source_files():
            archive.write(file, f"commensal-{version('commensal')}/{path}")
    return buffer.getvalue()


def _security_text(instance: Instance) -> str:
    settings = instance.settings
    contact = settings.security.contact
    expires = (instance.clock.now() + _HOLDS_FOR).replace(microsecond=0)
    lines = [
        f"Contact: {contact if contact.startswith('https://') else f'mailto:{contact}'}",
        f"Expires: {expires.isoformat().replace('+00:00', 'Z')}",
        f"Preferred-Languages: {', '.join(dict.fromkeys((settings.language, 'en')))}",
        f"Canonical: {settings.base_url.rstrip('/')}{SECURITY}",
    ]
    return "\n".join(lines) + "\n"
