"""Errors: functions look at two classes, and everything below is a leaf of one of the two."""

from __future__ import annotations

import inspect

from fanfold.domain.model import errors
from fanfold.domain.model.errors import (
    ComeBack,
    FanfoldError,
    LeaseHeld,
    Permanent,
    Rejected,
    StoreUnavailable,
    Transient,
    UnknownCollector,
    UnknownRun,
)


def test_every_error_is_transient_or_permanent_and_not_both() -> None:
    middle = {FanfoldError, Transient, Permanent}
    leaves = {
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, FanfoldError) and kind not in middle
    }

    assert leaves
    assert all(issubclass(leaf, Transient) != issubclass(leaf, Permanent) for leaf in leaves)


def test_the_tree_at_the_top_of_the_file_names_every_error() -> None:
    for name, kind in inspect.getmembers(errors, inspect.isclass):
        if issubclass(kind, FanfoldError):
            assert name in (errors.__doc__ or "")


def test_a_wait_is_suggested_only_where_it_is_known() -> None:
    assert StoreUnavailable("x").after_s is None
    assert LeaseHeld("r", "c", 12.5).after_s == 12.5
    assert ComeBack("waiting to retry", 3.0).after_s == 3.0


def test_an_error_says_whom_it_is_about() -> None:
    assert str(UnknownRun("r1")) == "no run 'r1' in the ledger"
    unknown = UnknownCollector("r1", "dvf")
    assert (unknown.run_id, unknown.collector) == ("r1", "dvf")
    assert Rejected(["one", "two"]).problems == ("one", "two")
    assert str(Rejected(["one", "two"])) == "one; two"
