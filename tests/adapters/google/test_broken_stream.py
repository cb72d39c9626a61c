"""A query whose reply breaks off in the middle has failed in passing, and is asked again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.cloud.firestore_v1 import types
from tests.adapters.google.conftest import MakeClient
from tests.adapters.google.grpc_service import Method, grpc_service

from fanfold.adapters.google import errors
from fanfold.adapters.google.ledger.store import Store
from fanfold.domain.model.errors import StoreUnavailable

#: How Firestore ends a reply of which only the beginning came.
ENDS = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


class Breaking:
    """A Firestore that breaks off its first replies after one of two documents."""

    def __init__(self, project: str, breaks: int, end: grpc.StatusCode) -> None:
        self.parent = f"projects/{project}/databases/(default)/documents"
        self.breaks = breaks
        self.end = end
        self.asked = 0

    def query(self, _: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        self.asked += 1
        for name in ("a", "b"):
            yield types.RunQueryResponse(document={"name": f"{self.parent}/runs/{name}"})
            if self.asked <= self.breaks:
                context.abort(self.end, "broken off")

    def aggregate(self, _: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        self.asked += 1
        counted = {"aggregate_fields": {"field_1": {"integer_value": 2}}}
        yield types.RunAggregationQueryResponse(result=counted)
        if self.asked <= self.breaks:
            context.abort(self.end, "broken off")

    def methods(self) -> dict[str, Method]:
        return {
            "RunQuery": Method(self.query, types.RunQueryRequest, types.RunQueryResponse, True),
            "RunAggregationQuery": Method(
                self.aggregate,
                types.RunAggregationQueryRequest,
                types.RunAggregationQueryResponse,
                True,
            ),
        }


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.name)
def test_a_query_that_breaks_off_is_asked_again(
    make_client: MakeClient, project: str, end: grpc.StatusCode
) -> None:
    firestore = Breaking(project, 1, end)
    with grpc_service("google.firestore.v1.Firestore", firestore.methods()) as host:
        store = Store(make_client(host))

        found = store.select(store.collection("runs"))

        assert [each.id for each in found] == ["a", "b"]
        assert firestore.asked == 2


def test_a_count_that_breaks_off_is_asked_again(make_client: MakeClient, project: str) -> None:
    firestore = Breaking(project, 1, ENDS[0])
    with grpc_service("google.firestore.v1.Firestore", firestore.methods()) as host:
        store = Store(make_client(host))

        assert store.count(store.collection("runs")) == 2
        assert firestore.asked == 2


def test_a_query_that_always_breaks_off_comes_back_later(
    make_client: MakeClient, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors, "PATIENCE_S", 0.3)
    firestore = Breaking(project, 1_000_000, ENDS[0])
    with grpc_service("google.firestore.v1.Firestore", firestore.methods()) as host:
        store = Store(make_client(host))

        with pytest.raises(StoreUnavailable, match="query"):
            store.select(store.collection("runs"))
