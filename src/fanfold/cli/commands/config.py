"""``fanfold config``: the configuration as it is used, where each value came from, its schema."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Annotated, Any

import typer
import yaml

from fanfold import config as configuration
from fanfold.cli.exit_codes import OK
from fanfold.cli.output.terminal import out
from fanfold.cli.output.words import form_of, json_text
from fanfold.cli.session import Session
from fanfold.config.file.key_paths import KeyPath

#: What ``--format`` takes.
FORMS = ("yaml", "json")

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="The configuration as fanfold reads it.",
)


@app.callback()
def config() -> None:
    """Show the configuration as fanfold reads it."""


@app.command("show")
def show(
    context: typer.Context,
    *,
    origin: Annotated[
        bool, typer.Option("--origin", help="Say of each value which line or variable it is from.")
    ] = False,
    output: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="yaml or json.")
    ] = "yaml",
) -> int:
    """Print the configuration as it is used: defaults filled in, secrets masked.

    Examples:
      fanfold config show
      fanfold config show --origin | grep timeout
      fanfold config show --format json
    """
    session = Session.of(context)
    form = form_of(output, FORMS)
    loaded = session.load()
    if form == "json":
        flat = {
            key: {"value": each.value, "origin": each.where} if origin else each.value
            for key, each in loaded.origins.items()
        }
        out(json_text(flat))
    elif origin:
        for line in configuration.origins(loaded):
            out(line)
    else:
        out(_yaml({each.path: each.setting for each in loaded.origins.values()}))
    return OK


@app.command("schema")
def schema() -> int:
    """Print the JSON Schema of the configuration, by which editors complete and check it.

    Examples:
      fanfold config schema > config.schema.json
    """
    out((files(configuration) / "config.schema.json").read_text("utf-8").rstrip("\n"))
    return OK


def _yaml(settings: Mapping[KeyPath, Any]) -> str:
    """Return settings by their paths as a nested YAML document, which fanfold can read again."""
    nested: dict[str | int, Any] = {}
    for path, setting in settings.items():
        place = nested
        for part in path[:-1]:
            place = place.setdefault(part, {})
        place[path[-1]] = setting
    text = yaml.safe_dump(nested, sort_keys=False, allow_unicode=True, width=10_000)
    if not text.replace("\n", "").isprintable():  # what a terminal would obey is written as escapes
        text = yaml.safe_dump(nested, sort_keys=False, width=10_000)
    return text.rstrip("\n")
