"""``fanfold config show``: the configuration as it is used, and where each value came from."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from fanfold.cli.exit_codes import OK
from fanfold.cli.output.terminal import out
from fanfold.cli.output.words import form_of, json_text
from fanfold.cli.session import Session

#: What ``--format`` takes.
FORMS = ("yaml", "json")

app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="The configuration as fanfold reads it.",
)


@app.callback()
def config() -> None:
    """Look at the configuration as fanfold reads it."""


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

    \b
    Examples:
      fanfold config show
      fanfold config show --origin | grep timeout
      fanfold config show --format json
    """  # noqa: D301
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
        from fanfold import config as configuration  # noqa: PLC0415

        for line in configuration.origins(loaded):
            out(line)
    else:
        own = {each.name for each in loaded.catalogue.collectors}
        shown = {key: each.value for key, each in loaded.origins.items()}
        out(_yaml({_placed(key, own): text for key, text in shown.items()}))
    return OK


def _placed(key: str, collectors: set[str]) -> str:
    """Return where *key* stands in the file: a collector's own are under scheduler.collectors."""
    return f"scheduler.collectors.{key}" if key.partition(".")[0] in collectors else key


def _yaml(flat: dict[str, str]) -> str:
    """Return dotted keys and their texts as a nested YAML document."""
    import yaml  # noqa: PLC0415

    nested: dict[str, Any] = {}
    for key, text in flat.items():
        *above, name = key.split(".")
        place = nested
        for part in above:
            inner = place.setdefault(part, {})
            if not isinstance(inner, dict):  # a key that is both a value and a section
                inner = place[part] = {"value": inner}
            place = inner
        place[name] = _value(text)
    return yaml.safe_dump(nested, sort_keys=False, allow_unicode=True, width=10_000).rstrip("\n")


def _value(text: str) -> Any:
    """Return what *text* stands for: a number, true, a list; or itself, if it is none of them."""
    import yaml  # noqa: PLC0415

    try:
        return json.loads(text)
    except ValueError:
        pass
    if text[:1] in ("[", "{"):
        try:
            return yaml.safe_load(text)
        except yaml.YAMLError:
            return text
    return text
