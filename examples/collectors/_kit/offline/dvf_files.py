"""DVF offline: the catalogue entry, and the one synthetic file of the samples."""

from __future__ import annotations

import gzip
import re
from typing import Final

from _kit.failures import NotInSample

from .reply import Question, Reply, json_reply, only_sample_departement, sample_bytes

FILE: Final = "dvf_2024_90.synthetic.csv.gz"
FILE_PATH: Final = re.compile(r"/geo-dvf/latest/csv/(\d{4})/departements/(\w+)\.csv\.gz")
DATASET_PATH: Final = "/api/1/datasets/demandes-de-valeurs-foncieres-geolocalisees/"
#: Made up: the date the synthetic file stands for.
LAST_MODIFIED: Final = "2025-10-14T09:00:00+00:00"
#: Made up: a newer edition, which is the broken one. The old one may be known already.
BROKEN_LAST_MODIFIED: Final = "2026-04-14T09:00:00+00:00"


def answer(question: Question) -> Reply:
    """Reply as data.gouv.fr and its file server do."""
    if question.path == DATASET_PATH:
        edition = BROKEN_LAST_MODIFIED if question.fault else LAST_MODIFIED
        return json_reply({"slug": DATASET_PATH.split("/")[-2], "last_modified": edition})
    asked = FILE_PATH.fullmatch(question.path)
    if asked is None:
        return Reply(404, b"Not Found")
    year, departement = asked.groups()
    only_sample_departement(departement)
    if year != "2024":
        raise NotInSample(f"the samples hold the year 2024 only, not {year}")
    file = sample_bytes(FILE)
    if question.fault == "empty":
        header, _, _ = gzip.decompress(file).partition(b"\n")
        file = gzip.compress(header + b"\n")
    elif question.fault == "cap":
        # A download that was cut and is served as if it were whole.
        file = file[: len(file) // 2]
    return Reply(200, file, {"Content-Type": "application/octet-stream"})
