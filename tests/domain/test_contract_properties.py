"""Whatever a collector sends, it means exactly one thing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fanfold.domain.protocol.contract import Progress, read_completion, read_reply
from fanfold.domain.syntax.text import is_visible


@given(
    st.integers(-1, 1000),
    st.dictionaries(
        st.sampled_from(["content-type", "Content-Type", "Retry-After", "LOCATION", "x"]),
        st.one_of(st.text(max_size=40), st.just("application/json")),
    ),
    st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
            lambda inner: (
                st.lists(inner, max_size=4)
                | st.dictionaries(
                    st.sampled_from(
                        [
                            *"ab",
                            "records",
                            "warnings",
                            "metrics",
                            "error",
                            "kind",
                            "status",
                            "accepted",
                            "eta_seconds",
                            "retry_after",
                            "retryable",
                            "message",
                            "artifacts",
                            "revision",
                            "bytes",
                        ]
                    ),
                    inner,
                )
            ),
        ).map(lambda document: json.dumps(document).encode()),
    ),
)
def test_anything_is_exactly_one_of_failure_acceptance_and_findings(
    status: int, headers: dict[str, str], body: bytes
) -> None:
    reply = read_reply(status, headers, body, now=datetime(2026, 11, 23, tzinfo=UTC))

    assert (reply.failure is not None) + reply.accepted + (reply.findings is not None) == 1
    assert reply.http_status == status
    assert reply.failure is not None or 200 <= status < 300
    assert reply.retry_after_s is None or 0 <= reply.retry_after_s <= 86_400
    if reply.failure is not None:
        assert 0 < len(reply.failure.message) <= 500
        assert all(map(is_visible, reply.failure.message))
        reply.failure.message.encode()


KEYS = ["status", "error", "fraction", "message", "records_so_far", "records", "metrics", "kind"]


@given(
    st.binary(max_size=100)
    | st.dictionaries(
        st.sampled_from(KEYS),
        st.recursive(
            st.none()
            | st.booleans()
            | st.floats()
            | st.integers()
            | st.text(max_size=10)
            | st.sampled_from(["succeeded", "failed", "running"]),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
        ),
    )
)
def test_anything_is_exactly_one_of_progress_failure_and_findings(body: Any) -> None:
    read = read_completion(body)

    if isinstance(read, Progress):
        assert read.fraction is None or 0 <= read.fraction <= 1
    else:
        assert (read.failure is not None) + (read.findings is not None) == 1
        assert not read.accepted
