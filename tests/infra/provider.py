"""Terraform's second apply without Google Cloud: a provider that remembers what an apply made.

It answers with the google provider's schema, found beside ``tf-offline``. What an apply makes gets
made-up values for what only Google knows, and stands in a state file: the next plan starts from it.
It runs inside the tests' process, and Terraform is told where (``TF_REATTACH_PROVIDERS``).
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import msgspec

#: Which arguments cannot be changed in place, from the pages of the provider's resources.
#: https://registry.terraform.io/providers/hashicorp/google/latest/docs
FIXED = {
    "google_artifact_registry_repository": {"format", "location", "project", "repository_id"},
    "google_cloud_scheduler_job": {"name", "project", "region"},
    "google_cloud_tasks_queue": {"location", "name", "project"},
    "google_cloudfunctions2_function": {"location", "name", "project"},
    "google_firestore_database": {"location_id", "name", "project"},
    "google_firestore_field": {"collection", "database", "field", "project"},
    "google_firestore_index": {"collection", "database", "fields", "project", "query_scope"},
    "google_project_iam_custom_role": {"project", "role_id"},
    "google_project_service": {"project", "service"},
    "google_pubsub_subscription": {"name", "project", "topic"},
    "google_pubsub_topic": {"name", "project"},
    "google_service_account": {"account_id", "project"},
    "google_storage_bucket": {"location", "name", "project"},
    "google_storage_bucket_object": {"bucket", "name", "source"},
}

#: What a grant is made of: nothing of it can be changed.
_OF_A_GRANT = {
    *("bucket", "condition", "location", "member", "name", "project", "role", "secret_id"),
    *("service_account_id", "subscription", "topic"),
}

#: The number that every project has here.
PROJECT_NUMBER = 123456789012

_UNKNOWN = msgspec.msgpack.Ext(0, b"\0")
_MADE_UP: dict[str, Any] = {"bool": False, "dynamic": None, "number": PROJECT_NUMBER}

Block = dict[str, Any]


class Provider:
    """The RPCs of plugin protocol 5 that plan and apply need, by name."""

    def __init__(self, folder: Path) -> None:
        sys.path.insert(0, str(folder))
        try:
            self.pb: Any = importlib.import_module("tfp5_pb2")
        finally:
            sys.path.remove(str(folder))
        self.schema: dict[str, Block] = json.loads((folder / "schema.json").read_text("utf-8"))

    def handlers(self) -> grpc.GenericRpcHandler:
        """Return the RPCs. Messages are bytes: the protocol's file lacks those with a state."""
        calls = {
            "GetSchema": self.get_schema,
            "PrepareProviderConfig": lambda asked: self._state(
                self.pb.PrepareRequest.FromString(asked).config
            ),
            "ValidateResourceTypeConfig": lambda _: b"",
            "ValidateDataSourceConfig": lambda _: b"",
            "Configure": lambda _: b"",
            "Stop": lambda _: b"",
            "UpgradeResourceState": self.upgrade,
            "PlanResourceChange": self.plan,
            "ApplyResourceChange": self.apply,
        }
        return grpc.method_handlers_generic_handler(
            "tfplugin5.Provider",
            {
                name: grpc.unary_unary_rpc_method_handler(lambda asked, _, call=call: call(asked))
                for name, call in calls.items()
            },
        )

    def get_schema(self, _: bytes) -> bytes:
        """Return what arguments and blocks there are."""
        answer = self.pb.GetSchemaResponse()
        for name in ("project", "region"):
            answer.provider.block.attributes.append(
                self.pb.Schema.Attribute(name=name, type=b'"string"', optional=True)
            )
        for kind, schema in self.schema.items():
            if not kind.startswith("data."):
                answer.resource_schemas[kind].block.CopyFrom(self._block(schema, top=True))
        return bytes(answer.SerializeToString())

    def _block(self, schema: Block, *, top: bool = False) -> Any:
        block = self.pb.Schema.Block()
        attributes = dict(schema["a"])
        if top:
            attributes.setdefault("id", {"t": "string", "r": False})
        for name, each in attributes.items():
            optional = not each["r"] and not each.get("ro")
            block.attributes.append(
                self.pb.Schema.Attribute(
                    name=name,
                    type=json.dumps(each["t"]).encode(),
                    required=each["r"],
                    optional=optional,
                    computed=not each["r"],
                )
            )
        for name, each in schema["b"].items():
            is_single = name == "timeouts"
            block.block_types.append(
                self.pb.Schema.NestedBlock(
                    type_name=name,
                    block=self._block(each["block"]),
                    nesting=1 if is_single else 2,
                    min_items=0 if is_single else int(each["req"]),
                    max_items=0 if is_single or each["many"] else 1,
                )
            )
        return block

    def upgrade(self, asked: bytes) -> bytes:
        """Return a state as it stands in the file: there is one version of it."""
        # The request's third field holds JSON where a plan's request holds a proposed state.
        raw = self.pb.PlanRequest.FromString(asked).proposed_new_state.msgpack
        return self._state(self.pb.DynamicValue(json=raw))

    def plan(self, asked: bytes) -> bytes:
        """Return what will be, and which changes need another resource."""
        request = self.pb.PlanRequest.FromString(asked)
        before = msgspec.msgpack.decode(request.prior_state.msgpack)
        after = msgspec.msgpack.decode(request.proposed_new_state.msgpack)
        kind = request.type_name
        asked_for = msgspec.msgpack.decode(request.config.msgpack) or {}
        if before and after and before.get("paused") and asked_for.get("paused") is None:
            # What newer providers do to a job of Cloud Scheduler that does not say `paused`:
            # https://github.com/GoogleCloudPlatform/magic-modules/pull/18954
            after["paused"] = False
        replaces = []
        if after is not None and before is None:
            _fill(after, self.schema[kind], top=True)
        elif after is not None:
            fixed = _OF_A_GRANT if kind.endswith("_iam_member") else FIXED.get(kind, set())
            replaces = [name for name in sorted(fixed) if before.get(name) != after.get(name)]
        paths = [self.pb.Empty.FromString(_field(_field(name.encode()))) for name in replaces]
        planned = self.pb.DynamicValue(msgpack=msgspec.msgpack.encode(after))
        answer = self.pb.PlanResponse(
            planned_state=planned, requires_replace=paths, legacy_type_system=True
        )
        return bytes(answer.SerializeToString())

    def apply(self, asked: bytes) -> bytes:
        """Return what was made, with values for what was not known before."""
        request = self.pb.PlanRequest.FromString(asked)
        state = msgspec.msgpack.decode(request.proposed_new_state.msgpack)
        if state is not None:
            _make_up(state, self.schema[request.type_name], request.type_name)
        made = self.pb.DynamicValue(msgpack=msgspec.msgpack.encode(state))
        return self._state(made) + b"\x20\x01"  # field 4, legacy_type_system: true

    def _state(self, state: Any) -> bytes:
        """Return a response whose first field is *state*."""
        return bytes(self.pb.PlanResponse(planned_state=state).SerializeToString())


def _field(content: bytes) -> bytes:
    """Return *content* as field 1 of a message: under 128 bytes."""
    return b"\x0a" + bytes([len(content)]) + content


def _fill(values: dict[str, Any], schema: Block, *, top: bool = False) -> None:
    """Write *unknown* where only Google knows the value."""
    for name, each in schema["a"].items():
        if values.get(name) is None and each.get("ro"):
            values[name] = _UNKNOWN
    if top and values.get("id") is None:
        values["id"] = _UNKNOWN
    for name, each in schema["b"].items():
        for inner in values.get(name) or []:
            if isinstance(inner, dict):
                _fill(inner, each["block"])


def _make_up(values: dict[str, Any], schema: Block, kind: str) -> None:
    """Write a value of the right type for each unknown one."""
    for name, value in values.items():
        if value == _UNKNOWN:
            wanted = schema["a"].get(name, {"t": "string"})["t"]
            if isinstance(wanted, list):
                values[name] = {} if wanted[0] == "map" else []
            else:
                values[name] = _MADE_UP.get(wanted, f"{kind}-{name}")
        elif isinstance(value, list) and name in schema["b"]:
            for inner in value:
                _make_up(inner, schema["b"][name]["block"], kind)


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve the provider whose schema is in *folder*; gives ``TF_REATTACH_PROVIDERS``."""
    server = grpc.server(ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers((Provider(folder).handlers(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    address = {"Network": "tcp", "String": f"127.0.0.1:{port}"}
    about = {
        "Protocol": "grpc",
        "ProtocolVersion": 5,
        "Pid": os.getpid(),
        "Test": True,
        "Addr": address,
    }
    try:
        yield json.dumps({"registry.terraform.io/hashicorp/google": about})
    finally:
        server.stop(grace=None)
