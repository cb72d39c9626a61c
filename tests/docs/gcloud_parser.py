"""Parses gcloud command lines with gcloud's own parser, and runs none of them.

``python3 -S gcloud_parser.py SDK < lines.json``: a JSON list of argument lists comes in, and a JSON
list of what gcloud says to each goes out, empty for a line that it takes. A script of its own,
because it imports gcloud's libraries in place of ours.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sys
from importlib import import_module
from typing import Any


def main(sdk: str) -> None:
    """Read lines on stdin, write what the gcloud of *sdk* says to them on stdout."""
    sys.path[:0] = [f"{sdk}/lib", f"{sdk}/lib/third_party"]
    gcloud_main: Any = import_module("googlecloudsdk.gcloud_main")
    log: Any = import_module("googlecloudsdk.core.log")
    # The parser alone: Execute of the command line interface would call Google.
    parser = vars(gcloud_main.CreateCLI([]))["_CLI__parser"]
    verdicts = []
    for arguments in json.load(sys.stdin):
        said = io.StringIO()
        told = logging.StreamHandler(said)
        log.getLogger().addHandler(told)
        verdict = ""
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                parsed = parser.parse_args(arguments)
                if parsed.CONCEPT_ARGS is not None:
                    parsed.CONCEPT_ARGS.ParseConcepts()
        except (Exception, SystemExit) as exc:  # noqa: BLE001 - whatever it is, the line is wrong
            verdict = said.getvalue().strip() or f"{type(exc).__name__}: {exc}"
        finally:
            log.getLogger().removeHandler(told)
        verdicts.append(verdict)
    json.dump(verdicts, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
