"""``python -m fanfold.config schema`` prints the JSON Schema, ``keys`` the tables of keys."""

from __future__ import annotations

import sys

from fanfold.config.reference import schema_text, tables

_PRINTS = {"schema": schema_text, "keys": tables}


def main(words: list[str]) -> int:
    """Print what *words* ask for; return the exit code."""
    if len(words) != 1 or words[0] not in _PRINTS:
        sys.stderr.write("usage: python -m fanfold.config schema | keys\n")
        return 2
    sys.stdout.write(_PRINTS[words[0]]())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
