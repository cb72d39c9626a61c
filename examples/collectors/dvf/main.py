"""DVF: property sales of France, one gzipped CSV file per year and département.

One row is not one sale: a house with a garage and two kinds of land is four rows of one
mutation. Both are counted: ``records`` are rows, ``metrics.mutations`` are sales. The
files change in April and October only; until then the answer is ``unchanged``.

Params: ``departement`` or ``departements`` (default "90"), ``year`` or ``years``
(default "2024"). The terms of DVF forbid re-identification and indexing by search engines:
nothing of a row leaves this module.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import sys
import zlib
from pathlib import Path
from typing import Final

# functions-framework adds this folder to the path; the kit is one folder up.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from _kit import (
    Api,
    CutShort,
    Upstream,
    UpstreamGarbage,
    UpstreamNotFound,
    asking,
    field,
)
from _kit.params import DEPARTEMENT, YEAR, codes, refuse_unknown

from fanfold.collector import Call, Reported

FILES: Final = Api("files.data.gouv.fr", "https://files.data.gouv.fr", requests_per_second=2)
CATALOGUE: Final = Api("data.gouv.fr", "https://www.data.gouv.fr", requests_per_second=2)
#: The files carry neither ETag nor Last-Modified; the catalogue knows when they changed.
DATASET: Final = "/api/1/datasets/demandes-de-valeurs-foncieres-geolocalisees/"
#: Land registers of their own: Alsace, Moselle and Mayotte are not in DVF.
NOT_COVERED: Final = frozenset({"57", "67", "68", "976"})


@asking("dvf")
def collect(call: Call, upstream: Upstream) -> Reported:
    """Return how many rows and sales the files asked for hold, or that none of them changed.

    Raises:
        CollectorFailure: The parameters are wrong, or the upstream failed.
    """
    refuse_unknown(call.params, known=("departement", "departements", "year", "years"))
    asked = codes(call.params, "departement", "departements", pattern=DEPARTEMENT, default=["90"])
    years = codes(call.params, "year", "years", pattern=YEAR, default=["2024"])
    for code in asked:
        if code in NOT_COVERED:
            call.warn(f"département {code} is not covered by DVF")

    scope = "+".join(asked) + "/" + "+".join(years)
    revision = f"{edition(upstream)}#{hashlib.sha256(scope.encode()).hexdigest()[:8]}"
    if revision == call.previous.revision:
        return call.unchanged(bytes=upstream.received_bytes)

    rows = sales = files = 0
    for year in years:
        for code in (code for code in asked if code not in NOT_COVERED):
            file_rows, file_sales = count_rows(download(upstream, year, code))
            if file_rows == 0:
                call.warn(f"the file of département {code}, {year}, holds no row")
            rows, sales, files = rows + file_rows, sales + file_sales, files + 1
    return call.found(
        records=rows,
        bytes=upstream.received_bytes,
        revision=revision,
        metrics={"mutations": sales, "files": files},
    )


def edition(upstream: Upstream) -> str:
    """Return when the published files last changed, as the catalogue writes it."""
    return str(field(upstream.json(CATALOGUE, DATASET), "last_modified", str))


def download(upstream: Upstream, year: str, departement: str) -> bytes:
    """Return the file of one year and département, as it is served."""
    path = f"/geo-dvf/latest/csv/{year}/departements/{departement}.csv.gz"
    try:
        return upstream.read(FILES, path)
    except UpstreamNotFound as error:
        raise UpstreamNotFound(
            f"no file of département {departement} for {year}: DVF keeps the last five years"
        ) from error


def count_rows(file: bytes) -> tuple[int, int]:
    """Return the numbers of rows and of distinct mutations in *file*, a CSV, gzipped or not.

    Raises:
        CutShort: The compressed file stops before its end.
        UpstreamGarbage: It is not that CSV.
    """
    # A server that labels the file Content-Encoding: gzip has it unpacked on the way.
    packed = file.startswith(b"\x1f\x8b")
    raw = gzip.GzipFile(fileobj=io.BytesIO(file)) if packed else io.BytesIO(file)
    rows, mutations = 0, set()
    try:
        with io.TextIOWrapper(raw, encoding="utf-8", newline="") as text:
            reader = csv.DictReader(text)
            if "id_mutation" not in (reader.fieldnames or ()):
                raise UpstreamGarbage("the file has no column id_mutation")
            for row in reader:
                rows += 1
                mutations.add(row["id_mutation"])
    except EOFError as error:
        raise CutShort(f"the file stops in the middle, after {rows} rows") from error
    except (OSError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise UpstreamGarbage("the file is not the CSV that DVF documents") from error
    return rows, len(mutations)
