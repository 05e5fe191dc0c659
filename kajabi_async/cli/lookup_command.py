"""``kajabi customers lookup``: its options, before any of the SDK that the run needs is imported."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import attrs
from cyclopts import Parameter

from kajabi_async.checks import number, whole_number
from kajabi_async.cli.id_files import IDS, IdLines
from kajabi_async.cli.options import Value
from kajabi_async.cli.running import on_client
from kajabi_async.fetching.plan import Strategy
from kajabi_async.stall import PATIENCE_SECONDS

if TYPE_CHECKING:
    from kajabi_async.client import Kajabi
    from kajabi_async.fetching.lookups import Lookups, Observer
    from kajabi_async.models.people import Customer

__all__ = ["lookup"]


def lookup(
    # A path, so that shells complete file names.
    source: Annotated[
        Path,
        Parameter(
            help="A file with an id on each line, or a CSV file; - for standard input.", allow_leading_hyphen=True
        ),
    ],
    /,
    *,
    column: Annotated[
        str | None,
        Parameter(help="The column of the ids in a CSV file, by its name or number; `id` by default."),
        Value("NAME"),
    ] = None,
    include: Annotated[str, Parameter(help="Relations to include: contact, offers, products."), Value("NAME,...")] = "",
    fields: Annotated[
        str | None, Parameter(help="Attributes of customers to restrict the answers to."), Value("NAME,...")
    ] = None,
    concurrency: Annotated[int | None, Parameter(help="The number of lookups at once."), Value("NUMBER")] = None,
    ordered: Annotated[bool, Parameter(help="Print in the order of the ids.", negative=())] = False,
    strategy: Annotated[
        Strategy, Parameter(help="One request per id, the pages of the list, or whichever needs fewer requests.")
    ] = "lookup",
    patience: Annotated[
        float,
        Parameter(help="Seconds without any answer after which to stop; pauses of the API are not counted."),
        Value("SECONDS"),
    ] = PATIENCE_SECONDS,
    explain: Annotated[
        bool, Parameter(help="Print what each strategy costs, and look nothing up.", negative=())
    ] = False,
    json: Annotated[bool, Parameter(help="Print the report, the plan and errors as JSON, too.", negative=())] = False,
) -> int:
    """Look up the customers whose ids are in a file, or on standard input for -, one per line.

    Prints a line of JSON for each as it arrives; progress goes to standard error. Empty lines and text after a # are
    skipped. A CSV file, as spreadsheets save it, needs a first line with the names of its columns. The exit code is 1
    if any id was not found.

    The run waits through a pause or an outage. Without any answer for --patience seconds it ends with the exit code 4;
    if interrupted, with 130. Both write the ids without an answer to the file SOURCE.unanswered (ids.unanswered for
    standard input); pass that file to the next call.

    --strategy lookup starts with the first id, and suits a slow pipe. scan reads the list of customers and looks up
    the ids that are not on it; auto chooses whichever needs fewer requests. Both wait for the last id, and their rows
    have the offers only with --include offers. --explain sends one request at most.

    Examples:
      kajabi customers lookup ids.txt > customers.jsonl
      kajabi customers lookup ids.txt --include offers --explain
    """
    if concurrency is not None:
        whole_number(concurrency, of="--concurrency", at_most=None)
    number(patience, of="--patience", expected="a positive number of seconds", fits=lambda it: it > 0)
    content = attrs.evolve(IDS, column=column)
    options: dict[str, Any] = {
        "include": include.split(","),
        "fields": None if fields is None else {"customers": fields},
        "concurrency": concurrency,
    }

    async def work(api: "Kajabi") -> int | None:
        # Imported here, as it needs the client: a refused argument does not.
        from kajabi_async.cli.lookup import explain_file, look_up_file  # noqa: PLC0415

        customers = api.customers
        if explain:
            await explain_file(lambda ids: customers.plan(ids, **options), str(source), content, json=json)
            return None

        def start(ids: IdLines, observer: "Observer") -> "Lookups[Customer]":
            return customers.get_many(
                ids, ordered=ordered, strategy=strategy, patience=patience, observer=observer, **options
            )

        return await look_up_file(start, str(source), content, json=json)

    return on_client(work)
