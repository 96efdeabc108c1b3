"""Evidence on the command line: ``commensal federation evidence`` and ``… verify-evidence``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from commensal import HERE, Folder, file_of_caller, format_money, named_enterprise, open_instance, print_line, spoken
from commensal.parts.terminal import console

from ..arguments import OurEnterprise
from ..provenance.signers import Bound
from ..runtime import federation_of
from .verifying import verify_evidence
from .writing import LARGEST, BadEvidence, ProvedLine, ProvedOrder, evidence_of

_Order = Annotated[str, typer.Argument(help="The id that `commensal federation order list` shows.")]
_Output = Annotated[Path | None, typer.Option("--output", "-o", help="The file to write; else it is printed.")]
_File = Annotated[Path, typer.Argument(help="A file that `commensal federation evidence` has written.", exists=True)]


def add_evidence_commands(app: typer.Typer) -> None:
    """Adds ``evidence`` and ``verify-evidence`` to the plugin's commands."""
    app.command("evidence")(evidence_command)
    app.command("verify-evidence")(verify_command)


def evidence_command(enterprise: OurEnterprise, order: _Order, output: _Output = None, instance: Folder = HERE) -> None:
    """Writes all that was signed about an order with another instance into one file, which anybody can verify."""
    with open_instance(instance) as opened, opened.store.read() as tx:
        body = evidence_of(federation_of(opened), tx, named_enterprise(tx, enterprise).id, order)
    if output is None:
        typer.echo(body.decode())
        return
    with file_of_caller(output) as file:
        file.write(body)
    print_line("Written to {file}. Anybody can verify it: commensal federation verify-evidence {file}", file=output)


def verify_command(file: _File) -> None:
    """Verifies a file of evidence, without an instance or a network, and prints what it proves."""
    try:
        with file.open("rb") as opened:
            proved = verify_evidence(opened.read(LARGEST + 1))
    except BadEvidence as error:
        console.print(spoken("NOT PROVED: {part}: {reason}", part=error.part, reason=error.text), markup=False)
        raise typer.Exit(1) from error
    for row in _shown(proved):
        console.print(row, markup=False)


def _shown(proved: ProvedOrder) -> Iterator[str]:
    yield spoken("All signatures hold. {order}: {state}", order=proved.order, state=proved.state)
    yield spoken("  ordered by {buyer}, revision {rev}", buyer=proved.buyer, rev=proved.rev)
    yield spoken("  supplied by {supplier}", supplier=proved.supplier)
    for line in proved.lines:
        yield from _line(line, proved.currency)
    yield spoken("Compare these fingerprints with the instances: the file cannot show whose keys they are.")
    for signer in proved.signers:
        yield f"  {signer.fingerprint}  {signer.iri}  ({_known(signer.bound)})"


def _line(line: ProvedLine, currency: str) -> Iterator[str]:
    confirmed = spoken("no answer yet") if line.confirmed is None else str(line.confirmed)
    price = format_money(line.price, currency, "en")
    yield "  " + spoken(
        "{ordered} {name} at {price}; confirmed: {confirmed}",
        ordered=line.ordered,
        name=line.name,
        price=price,
        confirmed=confirmed,
    )
    if not line.stated:
        yield "    " + spoken("not proved: nobody has signed an offer of it")
    elif line.producer_price is not None:
        producer_price = format_money(line.producer_price, line.producer_currency, "en")
        yield "    " + spoken(
            "signed by {name}, {producer}, at {price}",
            name=line.producer_name,
            producer=line.producer,
            price=producer_price,
        )


def _known(bound: Bound) -> str:
    """Returns how the exporter knew that the keys are the instance's, in words."""
    if bound == "own":
        return spoken("it exported this file")
    if bound == "peer":
        return spoken("two operators had compared its fingerprint")
    return spoken("its keys came from its own address")
