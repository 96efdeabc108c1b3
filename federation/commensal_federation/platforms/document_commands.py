"""DFC on the command line: ``commensal dfc check|export|import``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer

from commensal import HERE, Folder, Secret, file_of_caller, named_enterprise, open_instance, spoken
from commensal.enterprises import every_enterprise
from commensal.parts.product_lists import read_defaults
from commensal.parts.terminal import console, print_counts, told

from ..dfc.check import as_json, describe_document, finding_line, finding_text, gaps_of, remedy
from ..dfc.findings import Paths
from ..dfc.graph import write_20, write_116
from ..dfc.importing import plan_document
from ..dfc.iris import KINDS
from ..dfc.read import DfcDocument, DocumentFinding, UnreadableDocument, parse, read
from ..dfc.vocabulary import Thing
from ..linked_catalogues.client import DfcClient
from ..linked_catalogues.commands import ApiKeyFile, TokenFile, read_secret
from ..linked_catalogues.pages import read_catalogue
from ..linked_catalogues.pictures import enqueue_pictures
from ..linked_catalogues.values import Access, Auth
from ..runtime import federation_of
from .export import export_enterprise

dfc = typer.Typer(help="Documents of the Data Food Consortium: check, export and import them.", no_args_is_help=True)
_Source = Annotated[str, typer.Argument(metavar="FILE|URL")]
_STYLES = {"wrong": "red", "note": "yellow"}
_UNREADABLE = 3  # exit code of a check


@dfc.command("check")
def check_command(
    source: _Source,
    host: Annotated[str, typer.Option(help="The host that sent a file: things of other hosts are wrong.")] = "",
    token_file: TokenFile = None,
    api_key_file: ApiKeyFile = None,
    as_data: Annotated[bool, typer.Option("--json", help="For programs: the same as JSON.")] = False,
    instance: Folder = HERE,
) -> None:
    """Says which dialect a document is in, what is understood of it, what is not, where, and what would be right.

    It fetches nothing else. Ends with 0 if nothing is wrong, 1 if something is, 3 if the document cannot be read.
    """
    document, bodies = _read(
        source, *read_secret(token_file, api_key_file), instance, host=host, unreadable=_UNREADABLE
    )
    paths = Paths(parse(bodies[0])) if len(bodies) == 1 and bodies[0].strip() else Paths([])
    if as_data:
        typer.echo(msgspec.json.format(msgspec.json.encode(as_json(document, paths)), indent=1).decode())
    else:
        _print_check(document, paths)
    if any(finding.weight == "wrong" for finding in document.findings):
        raise typer.Exit(1)


def _print_check(document: DfcDocument, paths: Paths) -> None:
    for line in describe_document(document):
        console.print(line, markup=False)
    for finding in document.findings:
        console.print(finding_line(finding), markup=False, style=_STYLES[finding.weight])
        _print_remedy(finding.code, paths.path_of(finding.iri, finding.property_name))
    for gap in gaps_of(document):
        console.print(gap.text, markup=False, style="yellow")
        _print_remedy(gap.code, paths.path_of(gap.iri))


def _print_remedy(code: str, path: str) -> None:
    for line in (path, remedy(code)):
        if line:
            console.print(f"  {line}", markup=False, soft_wrap=True)


@dfc.command("export")
def export_command(
    enterprise: Annotated[str, typer.Argument(help="Its id or the name in its address.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Of all enterprises that are not archived.")] = False,
    version: Annotated[Literal["1", "2"], typer.Option(help="Of DFC: 1 is 1.16, 2 is 2.0.")] = "1",
    output: Annotated[Path | None, typer.Option("--output", "-o", dir_okay=False, help="Else to the terminal.")] = None,
    instance: Folder = HERE,
) -> None:
    """Writes what an enterprise has as a DFC document: itself, its products, stock, catalogs and prices."""
    if bool(enterprise) == every:
        raise typer.BadParameter(spoken("Name an enterprise, or use --all."))
    with open_instance(instance) as opened, opened.store.read() as tx:
        owners = (
            [owner for owner in every_enterprise(tx) if not owner.archived_at]
            if every
            else [named_enterprise(tx, enterprise)]
        )
        base = opened.settings.base_url.rstrip("/")
        things = {thing.iri: thing for owner in owners for thing in export_enterprise(tx, base, owner)}
    document = write_20(things.values(), _containers(base, things)) if version == "2" else write_116(things.values())
    content = msgspec.json.format(msgspec.json.encode(document), indent=1)
    if output is None:
        typer.echo(content.decode())
        return
    with file_of_caller(output, private=False) as stream:
        stream.write(content)
    console.print(spoken("wrote {count} things to {file}", count=len(things), file=output), markup=False)


@dfc.command("import")
def import_command(
    source: _Source,
    enterprise: Annotated[str, typer.Option("--enterprise", help="Into which: its id or the name in its address.")],
    catalog: Annotated[
        str | None, typer.Option(help="Whose prices; may be left out where there is one catalog.")
    ] = None,
    supplier: Annotated[str, typer.Option(help="Only goods of this enterprise: its name or address.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what the import would do, and every mistake.")
    ] = False,
    default_category: Annotated[str, typer.Option(help="For products without a DFC product type.")] = "",
    default_vat: Annotated[str, typer.Option(help="Percent, for products that name no rate.")] = "",
    without_vat: Annotated[bool, typer.Option("--without-vat", help="Prices that do not say it have no VAT.")] = False,
    token_file: TokenFile = None,
    api_key_file: ApiKeyFile = None,
    instance: Folder = HERE,
) -> None:
    """Sets the enterprise's products, stock and prices to those of the document: all of them, or nothing."""
    document, _ = _read(source, *read_secret(token_file, api_key_file), instance)
    with open_instance(instance) as opened:
        defaults = read_defaults(default_category, default_vat, opened.settings.language)
        base = opened.settings.base_url.rstrip("/")
        with opened.store.read() as tx:
            owner = named_enterprise(tx, enterprise)
            try:
                planned = plan_document(
                    tx,
                    base,
                    owner,
                    document,
                    defaults=defaults,
                    catalog_id=catalog,
                    supplier=supplier,
                    prices_include_vat=not without_vat,
                )
            except UnreadableDocument as error:
                console.print(error.text, markup=False, style="red")
                raise typer.Exit(1) from None
        report = planned.report
        if not dry_run:
            with opened.store.write() as tx:
                report = planned.commit(tx)
                enqueue_pictures(tx, report.pictures)
    _print_findings((*document.findings, *report.findings))
    for problem in report.list_report.problems:
        console.print(told(problem), markup=False, style="red")
    print_counts(report.list_report, dry_run=dry_run)
    if report.list_report.problems:
        raise typer.Exit(1)


def _read(
    source: str, auth: Auth, secret: Secret, folder: Path, *, host: str = "", unreadable: int = 1
) -> tuple[DfcDocument, Sequence[bytes]]:
    """Reads a document from a file or an address, within the outbound limits that the instance's operator has set.

    Returns it with its bytes, of an address those of each page. Exits with `unreadable` for what is not a DFC document.
    """
    if source.startswith(("https://", "http://")):
        with open_instance(folder) as opened:
            access = Access(url=source, auth=auth, secret=secret)
            catalogue = read_catalogue(DfcClient(federation_of(opened), access))
        assert catalogue.document is not None, "it was asked for without a tag"
        return catalogue.document, catalogue.bodies
    try:
        content = Path(source).read_bytes()
        return read(content, host=host), [content]
    except OSError as error:
        text = spoken("{file} is not a file that can be read: {reason}", file=source, reason=error.strerror)
        raise typer.BadParameter(text) from None
    except UnreadableDocument as error:
        text = spoken("{file} is not read [{code}]: {reason}", file=source, code=error.code, reason=error.text)
        console.print(text, markup=False, style="red")
        raise typer.Exit(unreadable) from None


def _print_findings(findings: tuple[DocumentFinding, ...]) -> None:
    for finding in findings:
        console.print(finding_text(finding), markup=False, style=_STYLES[finding.weight])


def _containers(base: str, things: dict[str, Thing]) -> dict[str, list[str]]:
    """Returns a container for each kind of thing: the IRIs of its members by the address that they begin with."""
    lists = {f"{base}/api/dfc/{kind}": f"{base}/api/dfc/{kind}/" for kind in KINDS}
    containers = {name: [iri for iri in things if iri.startswith(front)] for name, front in lists.items()}
    return {name: members for name, members in containers.items() if members}
