"""``commensal products``: imports and exports product lists as CSV or XLSX."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...base.languages.catalogs import say
from ...instance import open_instance
from ..product_lists.lists import Format, export_list, import_list
from ..product_lists.read import read_list
from ..product_lists.row_values import read_defaults
from ..setup.named_files import file_of_caller, open_file_of_caller
from ..terminal.lists import console, print_counts
from ..terminal.shell import problem_place, shell_language, spoken
from .named import HERE, Folder, named_enterprise

EnterpriseOption = Annotated[
    str, typer.Option("--enterprise", help="The enterprise: its id or the name in its address.")
]
CatalogOption = Annotated[str | None, typer.Option(help="Whose prices; may be left out where there is one catalog.")]


def add_to(app: typer.Typer) -> None:
    products = typer.Typer(help="Product lists in and out, with the headers of Open Food Network.")
    app.add_typer(products, name="products")

    @products.command("import")
    def import_command(
        file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
        enterprise: EnterpriseOption,
        catalog: CatalogOption = None,
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="Only say what the import would do, and every mistake.")
        ] = False,
        default_category: Annotated[str, typer.Option(help="For new products whose category is not known.")] = "",
        default_vat: Annotated[str, typer.Option(help="Percent, for new products that name no rate.")] = "",
        instance: Folder = HERE,
    ) -> None:
        """Sets products, stock and prices to what the file says: all of it, or nothing."""
        with open_instance(instance) as opened:
            with open_file_of_caller(file) as stream:
                content = stream.read()
            product_list = read_list(content, opened.store.plugin_fields.products)
            defaults = read_defaults(default_category, default_vat, opened.settings.language)
            with opened.store.write() as tx:
                enterprise_id = named_enterprise(tx, enterprise).id
                report = import_list(
                    tx, enterprise_id, product_list, catalog_id=catalog, defaults=defaults, dry_run=dry_run
                )
        for problem in report.problems:
            console.print(f"[red]{problem_place(problem)}[/red]: {say(shell_language(), problem)}")
        print_counts(report, dry_run=dry_run)
        if report.problems:
            raise typer.Exit(1)

    @products.command("export")
    def export_command(
        file: Annotated[Path, typer.Argument(help="Ends in .csv or .xlsx.", dir_okay=False)],
        enterprise: EnterpriseOption,
        catalog: CatalogOption = None,
        language: Annotated[str, typer.Option(help="Of headers and words: fr or en.")] = "fr",
        instance: Folder = HERE,
    ) -> None:
        """Writes the enterprise's products, stock and prices into a file that imports again unchanged."""
        with open_instance(instance) as opened, opened.store.read() as tx:
            enterprise_id = named_enterprise(tx, enterprise).id
            kind: Format = "xlsx" if file.suffix.lower() == ".xlsx" else "csv"
            content = export_list(tx, enterprise_id, catalog_id=catalog, language=language, format=kind)
        with file_of_caller(file, private=False) as target:
            target.write(content)
        console.print(spoken("wrote {file}", file=file))
