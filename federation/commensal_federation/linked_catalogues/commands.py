"""Links to distant platforms on the command line: ``commensal dfc link|links|refresh|unlink``."""

from __future__ import annotations

import os
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from commensal import (
    HERE,
    Conflict,
    Folder,
    Secret,
    named_enterprise,
    open_file_of_caller,
    open_instance,
    read_decimal,
    spoken,
)
from commensal.parts.product_lists import read_defaults
from commensal.parts.terminal import console

from ..runtime import federation_of
from .links import link_by_id, link_catalogue, links_of, unlink
from .refreshing import refresh
from .values import Auth, DfcVersion, Link, Refreshed

# Secrets on the command line: read from files or the environment, never from arguments, which other users can see.

VARIABLE = "COMMENSAL_DFC_TOKEN"  # environment variable with a bearer token

TokenFile = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="Holds the bearer token; or set COMMENSAL_DFC_TOKEN.")
]
ApiKeyFile = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="Holds an API key of Open Food Network.")
]


def read_secret(token: Path | None, api_key: Path | None, client_secret: Path | None = None) -> tuple[Auth, Secret]:
    """Reads the secret from the named file, else from the environment. Raises `Conflict` for several files."""
    kinds: dict[Auth, Path | None] = {"token": token, "api_key": api_key, "oidc": client_secret}
    given_files = [(auth, file) for auth, file in kinds.items() if file is not None]
    if len(given_files) > 1:
        raise Conflict("many_secrets", "Name one file with a secret, not several.")
    for auth, file in given_files:
        with open_file_of_caller(file) as stream:
            return auth, Secret(stream.read().decode().strip())
    token_text = os.environ.get(VARIABLE, "").strip()
    return ("token", Secret(token_text)) if token_text else ("none", Secret(""))


_VERSIONS: dict[str, DfcVersion] = {"1": "1.16", "2": "2.0"}


def add_link_commands(dfc: typer.Typer) -> None:
    """Adds the commands of links to ``dfc``."""
    dfc.command("link")(link_command)
    dfc.command("links")(links_command)
    dfc.command("refresh")(refresh_command)
    dfc.command("unlink")(unlink_command)


def link_command(
    url: Annotated[str, typer.Argument(help="A catalogue, an enterprise or a product of a platform that speaks DFC.")],
    enterprise: Annotated[
        str, typer.Option(help="The enterprise that sells it here: its id or the name in its address.")
    ],
    name: Annotated[str, typer.Option(help="What people call it.")] = "",
    token_file: TokenFile = None,
    api_key_file: ApiKeyFile = None,
    issuer: Annotated[str, typer.Option(help="OIDC: the issuer of tokens for --client.")] = "",
    client: Annotated[str, typer.Option(help="OIDC: the id of this instance as a client.")] = "",
    client_secret_file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="OIDC: holds the client's secret.")
    ] = None,
    dfc_version: Annotated[str, typer.Option("--dfc", help="Of DFC: 1 is 1.16, 2 is 2.0.")] = "1",
    catalog: Annotated[str, typer.Option(help="The id of the hub's catalog that lists the goods automatically.")] = "",
    margin: Annotated[str, typer.Option(help="Percent on top of their prices, in that catalog.")] = "0",
    default_category: Annotated[str, typer.Option(help="For products without a DFC product type.")] = "",
    default_vat: Annotated[str, typer.Option(help="Percent, for products that name no rate.")] = "",
    without_vat: Annotated[bool, typer.Option("--without-vat", help="Prices that do not say it have no VAT.")] = False,
    instance: Folder = HERE,
) -> None:
    """Links goods of a platform that speaks DFC, reads them, and keeps them up to date."""
    auth, secret = read_secret(token_file, api_key_file, client_secret_file)
    if dfc_version not in _VERSIONS:
        raise typer.BadParameter(spoken("--dfc is 1 or 2"))
    with open_instance(instance) as opened:
        federation = federation_of(opened)
        defaults = read_defaults(default_category, default_vat, opened.settings.language)
        with opened.store.write() as tx:
            new_link = link_catalogue(
                federation,
                tx,
                named_enterprise(tx, enterprise).id,
                url,
                name=name,
                dfc_version=_VERSIONS[dfc_version],
                auth=auth,
                issuer=issuer,
                client_id=client,
                secret=secret.reveal(),
                catalog_id=catalog or None,
                margin=_percent(margin) if catalog else None,
                default_type=defaults.category or "",
                default_vat=defaults.vat_rate,
                prices_include_vat=not without_vat,
            )
        text = spoken("{link}: linked. It is read every hour, and when a sale opens.", link=new_link.id)
        console.print(text, markup=False)
        _print_result(refresh(federation, new_link.id))
        with opened.store.read() as tx:
            _print_findings(link_by_id(tx, new_link.id))


def links_command(enterprise: Annotated[str, typer.Option(help="Only its own.")] = "", instance: Folder = HERE) -> None:
    """Lists links: how many products each has, when it was read last, and what is wrong with it."""
    with open_instance(instance) as opened, opened.store.read() as tx:
        enterprise_id = named_enterprise(tx, enterprise).id if enterprise else None
        for link in links_of(tx, enterprise_id=enterprise_id, limit=1000):
            _print_link(link)


def refresh_command(link_id: str, instance: Folder = HERE) -> None:
    """Reads a link now. One that was suspended is sold again where its platform lets it be read."""
    with open_instance(instance) as opened:
        _print_result(refresh(federation_of(opened), link_id, resume=True))
        with opened.store.read() as tx:
            _print_findings(link_by_id(tx, link_id))


def unlink_command(link_id: str, instance: Folder = HERE) -> None:
    """Takes all goods of a link off sale. Goods that were ordered stay ordered."""
    with open_instance(instance) as opened, opened.store.write() as tx:
        unlink(tx, link_by_id(tx, link_id).enterprise_id, link_id)
        console.print(spoken("It is unlinked, and nothing of it is sold any more."))


def _percent(value: str) -> Decimal:
    try:
        return read_decimal(value)
    except InvalidOperation:
        text = spoken("{margin} is not a percentage, like 15 or 12.5", margin=value)
        raise typer.BadParameter(text) from None


def _print_link(link: Link) -> None:
    status = spoken(
        "{state}, {count} products, read {at:%Y-%m-%d %H:%M} UTC"
        if link.refreshed_at
        else "{state}, {count} products, never read",
        state=link.state,
        count=link.products,
        at=link.refreshed_at,
    )
    console.print(f"{link.id}  {link.name or link.url} ({link.url}): {status}", markup=False)
    if link.error:
        failed = spoken("failed {count} times: {reason}", count=link.failures, reason=link.error)
        console.print(f"  {failed}", markup=False, style="red")
    _print_findings(link)


def _print_result(result: Refreshed) -> None:
    text = spoken(
        "new {new}, changed {changed}, gone {gone}, left {unchanged} as they were",
        new=result.new,
        changed=result.changed,
        gone=result.gone,
        unchanged=result.unchanged,
    )
    console.print(text)


def _print_findings(link: Link) -> None:
    for finding in link.findings:
        console.print(f"  {finding}", markup=False, style="yellow")
