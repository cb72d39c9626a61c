"""The sources behind the collectors, in ``check``, ``status`` and the end of a run."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.resources import files

import jsonschema
from tests.cli.conftest import Folder

from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.domain.model.upstream import UpstreamState

SCHEMA = json.loads(files("fanfold.views").joinpath("status.schema.json").read_text("utf-8"))

CONFIG = """
version: 2
scheduler:
  run_timeout: 20m
  collectors:
{collectors}
upstreams: {{api.insee.fr: {{max_concurrent: 2, per_minute: 2, breaker: {{}}}}}}
"""


def configured(folder: Folder, number: int = 5) -> None:
    each = "    c{}: {{url: https://api.insee.fr/x}}"
    collectors = "\n".join(each.format(n) for n in range(number))
    (folder.path / "config.yaml").write_text(CONFIG.format(collectors=collectors))


def test_check_says_what_a_source_bears_and_how_long_that_takes(folder: Folder) -> None:
    configured(folder)
    said = folder.run("check")
    assert (
        "source api.insee.fr: 5 collectors, 2 calls at once, 2 calls a minute, "
        "left alone for 2m00s after 5 failures in a row; 2 per minute and 5 collectors: "
        "the last one begins after 2m00s at the earliest"
    ) in said.out
    document = folder.run("check", "--format", "json").json()
    assert document["upstreams"]["api.insee.fr"]["collectors"] == 5
    assert document["collectors"]["c0"]["upstream"] == "api.insee.fr"


def test_a_dry_run_says_of_the_sources_that_it_would_ask_what_check_says(folder: Folder) -> None:
    configured(folder)
    (line,) = [each for each in folder.run("check").out.splitlines() if "source api" in each]
    assert line in folder.run("run", "--dry-run").err
    assert "source api.insee.fr: 1 collector, 2 calls" in folder.run("run", "c0", "--dry-run").err


def test_status_says_which_source_is_down(folder: Folder) -> None:
    configured(folder)
    failed = tuple(f"r1/c{n}#1" for n in range(5))
    state = UpstreamState(failed=failed, opened_at=datetime.now(UTC))
    database = Database(folder.path / "fanfold.db")
    SqliteLedger(database).change_upstream("api.insee.fr", lambda _: (state, None))
    database.close()

    assert "source    api.insee.fr is down (5 collectors failed first)" in folder.run("status").out
    document = folder.run("status", "--format", "json").json()
    jsonschema.validate(document, SCHEMA)
    source = document["upstreams"]["api.insee.fr"]
    assert (source["failed_in_a_row"], source["calls"]) == (5, 0)
    assert source["down_since"] < source["next_try"]
