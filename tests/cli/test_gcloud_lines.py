"""The gcloud lines of the documents, and the one that the command prints, ask for what they say.

gcloud itself reads them and sends what it read to a server of the test's.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from tests.cli.conftest import Folder
from tests.docs.documents import DOCUMENTS, text_of

from fanfold.domain.model.request import RunRequest
from fanfold.messages.run_request import decode_run_request
from fanfold.ports.bus import Message

pytestmark = pytest.mark.needs("gcloud")

#: An attribute as the documents write it, in quotes or without.
ATTRIBUTE = re.compile(r"--attribute=('[^']*'|\"[^\"]*\"|[^\s`]+)")


def published(server: HTTPServer, arguments: list[str], folder: Path) -> Message:
    """Return the message that gcloud publishes with *arguments*."""
    answer = {"messageIds": ["1"]}
    server.expect_request("/v1/projects/p/topics/run-requests:publish").respond_with_json(answer)
    env = {
        **os.environ,
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB": server.url_for("/"),
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_CONFIG": str(folder),
        "CLOUDSDK_CORE_PROJECT": "p",
    }
    command = ["gcloud", "pubsub", "topics", "publish", "run-requests", *arguments]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ((request, _),) = server.log
    (message,) = json.loads(request.get_data())["messages"]
    return Message(base64.b64decode(message.get("data", "")), message.get("attributes", {}))


def test_every_attribute_that_names_several_collectors_is_read_by_gcloud(
    httpserver: HTTPServer, tmp_path: Path
) -> None:
    written = {
        shlex.split(each)[0]
        for document in DOCUMENTS
        for each in ATTRIBUTE.findall(text_of(document))
        if "," in each
    }
    assert written == {"^;^collectors=dvf,plu"}
    message = published(httpserver, [f"--attribute={next(iter(written))}"], tmp_path)
    assert decode_run_request(message) == RunRequest(collectors=("dvf", "plu"))


def test_gcloud_takes_the_line_that_event_run_prints(
    folder: Folder, httpserver: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")
    folder.configure({"dvf": "ok", "plu": "ok"})
    said = folder.run(
        "event", "run", "dvf", "plu", "--reason", 'it\'s, "so"; ^x^', "--format", "gcloud"
    )
    assert shlex.split(said.out)[:5] == ["gcloud", "pubsub", "topics", "publish", "run-requests"]
    message = published(httpserver, shlex.split(said.out)[5:], tmp_path)
    assert decode_run_request(message) == RunRequest(
        collectors=("dvf", "plu"), reason='it\'s, "so"; ^x^'
    )
