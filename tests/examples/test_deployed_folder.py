"""The folder that docs/deploy.md and the examples' README deploy: all of it is in there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.documents import ROOT, blocks

CODE = """
import sys
import functions_framework, fanfold.collector
app = functions_framework.create_app("collect", "dvf/main.py", "http").test_client()
print(fanfold.collector.__file__)
print(app.get("/").get_data(as_text=True).strip())
print(app.post("/", json={}).json["records"])
print(sorted(name for name in sys.modules if name.startswith("fanfold."))[-1])
"""


@pytest.mark.parametrize("document", ["docs/deploy.md", "examples/collectors/README.md"])
def test_the_folder_that_is_deployed_is_whole(document: str, tmp_path: Path) -> None:
    for name in ("src", "examples"):
        tmp_path.joinpath(name).symlink_to(ROOT / name)
    (block,) = (each for each in blocks(document) if "mkdir -p build/collectors" in each.text)
    lines = [line for line in block.text.splitlines() if "build/collectors" in line]
    made = "\n".join(line for line in lines if line.startswith(("mkdir", "cp")))
    subprocess.run(["sh", "-ec", made], cwd=tmp_path, check=True)
    folder = tmp_path / "build" / "collectors"

    env = {**os.environ, "PYTHONPATH": str(folder), "COLLECTOR_SOURCE": "sample"}
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )

    where, look, _line, records, last = done.stdout.splitlines()
    assert where == str(folder / "fanfold" / "collector" / "__init__.py")
    assert look == '{"collector": "dvf", "source": "sample", "status": "ok"}'
    assert records == "302"
    assert last.startswith("fanfold.collector")
