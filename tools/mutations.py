"""The small changes that :mod:`tools.mutants` makes: an operator, a value, a condition, a call."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "fanfold"

_COMPARE = {
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.In: "not in",
    ast.NotIn: "in",
    ast.Is: "is not",
    ast.IsNot: "is",
}
_ARITHMETIC = {ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One small change: in *file*, at *line*, the bytes from *start* to *end* become *new*."""

    file: Path
    line: int
    start: int
    end: int
    new: str
    what: str

    @property
    def room(self) -> str:
        """The first two folders below the package, such as ``domain/rules``."""
        inside = self.file.relative_to(PACKAGE).parent.parts[:2]
        return "/".join(inside) or "."

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}: {self.what}"


def mutants_of(file: Path) -> Iterator[Mutant]:
    """Yield every change that can be made to *file*."""
    text = file.read_text("utf-8")
    offsets = [0]
    for each in text.encode().splitlines(keepends=True):
        offsets.append(offsets[-1] + len(each))
    for node in _code(ast.parse(text)):
        for part, new, what in (*_of_operator(node), *_of_value(node), *_of_statement(node)):
            start = offsets[part.lineno - 1] + part.col_offset
            end = offsets[(part.end_lineno or 0) - 1] + (part.end_col_offset or 0)
            yield Mutant(file, part.lineno, start, end, new, what)


#: A change: the part of the tree that is replaced, what stands there instead, and a word for it.
_Change = tuple[ast.expr | ast.stmt, str, str]


def _of_operator(node: ast.AST) -> Iterator[_Change]:
    match node:
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARE:
            new = _COMPARE[type(op)]
            yield node, f"({ast.unparse(left)} {new} {ast.unparse(right)})", f"compare with {new}"
        case ast.BoolOp(op=op, values=values):
            word = "or" if isinstance(op, ast.And) else "and"
            parts = f" {word} ".join(f"({ast.unparse(each)})" for each in values)
            yield node, f"({parts})", f"join by {word}"
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield node, f"bool({ast.unparse(operand)})", "drop a not"
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            new = _ARITHMETIC[type(op)]
            parts = f"(({ast.unparse(left)}) {new} ({ast.unparse(right)}))"
            yield node, parts, f"calculate with {new}"


def _of_value(node: ast.AST) -> Iterator[_Change]:
    match node:
        case ast.Constant(value=bool(value)):
            yield node, str(not value), f"{not value} for {value}"
        case ast.Constant(value=int(value) | float(value)):
            yield node, f"({value!r} + 1)", f"{value!r} + 1"


def _of_statement(node: ast.AST) -> Iterator[_Change]:
    match node:
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            yield test, f"(not ({ast.unparse(test)}))", "turn a condition round"
        case ast.Expr(value=ast.Call(func=called)):
            yield node, "pass", f"leave out {ast.unparse(called)}()"
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield node, "return None", "return None"


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _code(tree: ast.Module) -> Iterator[ast.AST]:
    """Walk what runs: no annotations, no decorators, nothing under TYPE_CHECKING."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "decorator_list", "returns", "type_params"):
                continue
            children = value if isinstance(value, list) else [value]
            waiting += [each for each in children if isinstance(each, ast.AST)]
