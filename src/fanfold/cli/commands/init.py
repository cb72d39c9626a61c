"""``fanfold init``: a first configuration, for whoever has none yet."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import typer

from fanfold.cli.exit_codes import OK, CommandError
from fanfold.cli.output.terminal import out
from fanfold.cli.output.words import CHECK_WHAT_IS_THERE, next_row, read_variables
from fanfold.cli.session import Session

#: The example of the variables, in the folder that the command is typed in.
ENV_EXAMPLE = Path(".env.example")

#: Where one keeps one's own.
ENV = Path(".env")


app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def init(context: typer.Context) -> int:
    """Write a commented configuration with two collectors, and the variables that it reads.

    They are config/config.yaml (or what --config says) and .env.example. Nothing is overwritten:
    where one of them is there already, none is written.

    Examples:
      fanfold init
      fanfold -c nightly.yaml init

    Exit codes: 0 both are written · 2 one is there already · 5 they cannot be written
    """
    config = Session.of(context).settings.config
    wanted = {config: "config.yaml", ENV_EXAMPLE: "env.example"}
    for path in wanted:
        if path.exists() or path.is_symlink():
            raise CommandError(f"{path} is there already: nothing was written", CHECK_WHAT_IS_THERE)
    for path, name in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as written:
            written.write((files("fanfold.cli") / "first_files" / name).read_text("utf-8"))
    out(f"✓ {config}   two collectors: put in the names and addresses of yours")
    out(f"✓ {ENV_EXAMPLE}   the variables that it reads")
    out(next_row(read_variables(ENV_EXAMPLE, ENV)))
    return OK
