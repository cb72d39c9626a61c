"""What a callback does, for the embedded endpoint and for the service ``callbacks`` alike."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fanfold.app.complete import complete
from fanfold.domain.model.errors import BadMessage, BadToken, Permanent, Transient
from fanfold.domain.model.states import Outcome
from fanfold.domain.protocol.strict_json import NotJson, read_json
from fanfold.runtime.log_lines import Fields, answer_line, put_trace
from fanfold.runtime.parts import Parts

#: ``/callback/RUN/COLLECTOR``: groups 1 and 2 are run id and collector.
CALLBACK_PATH = re.compile(r"/callback/([A-Za-z0-9_-]{1,100})/([A-Za-z0-9_-]{1,63})", re.ASCII)

#: Longest callback body, in bytes: what a collector may also answer at once.
MAX_BODY_BYTES = 1024 * 1024


def take_callback(
    parts: Parts, path: str, authorization: str, body: bytes
) -> tuple[int, Mapping[str, Any]]:
    """Return HTTP status and JSON answer for a collector's POST of *body* to *path*.

    The token comes as ``Authorization: Bearer``. Statuses: 200 taken, 400 broken body, 401 wrong
    token, 404 unknown, 413 too large, 503 try again.
    """
    match = CALLBACK_PATH.fullmatch(path)
    if match is None:
        return 404, {"error": "nothing here; callbacks go to /callback/RUN/COLLECTOR"}
    if len(body) > MAX_BODY_BYTES:
        return 413, {"error": f"the body is over {MAX_BODY_BYTES} bytes"}
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        return 401, {"error": "send the callback's token as Authorization: Bearer"}
    try:
        return 200, {"result": _complete(parts, match[1], match[2], token.strip(), body)}
    except BadToken as exc:
        return 401, {"error": str(exc)}
    except (NotJson, BadMessage) as exc:
        return 400, {"error": str(exc)}
    except Permanent as exc:
        return 404, {"error": str(exc)}
    except Transient as exc:
        return 503, {"error": f"try again: {exc}"}


def _complete(parts: Parts, run_id: str, collector: str, token: str, body: bytes) -> str:
    """Return a few words on what became of the callback; a failed collector is logged."""
    # The token first: a stranger's body is not even parsed.
    if not parts.tokens.matches(run_id, collector, token):
        raise BadToken("the callback's token is not the one of this run and collector")
    document = read_json(body)
    if not isinstance(document, dict):
        raise BadMessage("the body must be a JSON object")
    told = complete(
        run_id,
        collector,
        token,
        document,
        ledger=parts.ledger,
        bus=parts.bus,
        tokens=parts.tokens,
        masks=parts.masks,
        clock=parts.clock,
    )
    if told.answer is not None and told.answer.outcome is not Outcome.SUCCEEDED:
        fields: Fields = {"function": "callbacks"}
        line = answer_line(told.answer, fields)
        put_trace(told.trace_id, fields)
        parts.log(*line, **fields)
    return told.words
