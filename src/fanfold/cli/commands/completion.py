"""``fanfold completion``: the script by which a shell completes the command."""

from __future__ import annotations

from typing import Annotated

import typer
from typer._completion_shared import get_completion_script

from fanfold.cli.completions import words
from fanfold.cli.exit_codes import OK, CommandError
from fanfold.cli.output.terminal import out
from fanfold.cli.output.words import help_of
from fanfold.domain.model import names

#: The shells that can be served.
SHELLS = ("bash", "zsh", "fish")

#: By this variable the shell asks what to offer.
VARIABLE = "_FANFOLD_COMPLETE"


app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def completion(
    shell: Annotated[
        str,
        typer.Argument(metavar="SHELL", help="bash, zsh or fish.", autocompletion=words(*SHELLS)),
    ],
) -> int:
    """Print the script by which a shell completes commands, options, collectors and run ids.

    Examples:
      source <(fanfold completion bash)             # or in ~/.bashrc
      source <(fanfold completion zsh)              # or in ~/.zshrc, after compinit
      fanfold completion fish | source              # or in config.fish
    """
    if shell not in SHELLS:
        near = names.did_you_mean(shell, SHELLS)
        raise CommandError(
            f"SHELL {shell!r:.80}{near or ': use bash, zsh or fish'}", help_of("completion")
        )
    out(get_completion_script(prog_name="fanfold", complete_var=VARIABLE, shell=shell).strip())
    return OK
