"""What a page says to a person, beyond its status."""

from __future__ import annotations

import pytest

from fanfold.domain.model.run import Failure
from fanfold.domain.protocol.contract import read_reply
from fanfold.domain.protocol.findings import ReportedFigures
from fanfold.domain.protocol.plain_text import charset, readable

CLOUD_RUN = b"""
<html><head>
<meta http-equiv="content-type" content="text/html;charset=utf-8">
<title>500 Server Error</title>
</head>
<body text=#000000 bgcolor=#ffffff>
<h1>Error: Server Error</h1>
<h2>The request was aborted because there was no available instance.</h2>
<h2></h2>
</body></html>
"""


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (CLOUD_RUN, "The request was aborted because there was no available instance."),
        (b"<html><title>Quota exceeded</title><body>x y z", "Quota exceeded"),
        (
            b"<html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1><hr>nginx/1.25.3</html>",
            "502 Bad Gateway",
        ),
        (
            b"<title>Error</title><p>The disk of the collector is full",
            "The disk of the collector is full",
        ),
        (b"<h1>Service Unavailable</h1><p>Try again in an hour.", "Try again in an hour."),
        (b"<h1>404 Not Found</h1>", "404 Not Found"),
        (b"<!DOCTYPE html><style>a{}</style><script>b</script><p>one &amp; two", "one & two"),
        (b"", ""),
        (b"\x00\xff" * 50, ""),
    ],
)
def test_a_page_says_what_its_status_does_not(page: bytes, said: str) -> None:
    assert readable(page) == said


@pytest.mark.parametrize(
    ("content_type", "codec"),
    [
        ("text/html; charset=ISO-8859-1", "iso8859-1"),
        ('application/json;charset="utf-8"', "utf-8"),
        ("text/plain; charset=windows-1252", "cp1252"),
        ("text/plain; charset=Shift_JIS", "shift_jis"),
        ("text/plain", "utf-8"),
        ("text/plain; charset=rot13", "utf-8"),
        ("text/plain; charset=unicode_escape", "utf-8"),
        ("text/plain; charset=utf-7", "utf-8"),
        ("text/plain; charset=klingon", "utf-8"),
        ("text/plain; charset=../../x", "utf-8"),
    ],
)
def test_a_charset_is_read_where_it_is_one_of_text(content_type: str, codec: str) -> None:
    assert charset(content_type) == codec


def test_an_answer_and_an_error_are_read_in_their_charset() -> None:
    latin = {"Content-Type": "application/json; charset=latin-1"}
    answer = read_reply(200, latin, '{"records": 1, "warnings": ["é"]}'.encode("latin-1"))
    error = read_reply(503, latin, '{"error": "é"}'.encode("latin-1"))
    text = read_reply(503, {"Content-Type": "text/plain; charset=utf-16"}, "é".encode("utf-16"))
    wrong = read_reply(
        200, {"Content-Type": "application/json; charset=utf-8"}, b'{"records": "\xe9"}'
    )

    assert answer.findings == ReportedFigures(records=1, warnings=("é",))
    assert error.failure == Failure("http", "HTTP 503: é", retryable=True)
    assert text.failure == Failure("http", "HTTP 503: é", retryable=True)
    assert wrong.failure is not None
    assert "not UTF-8 at byte" in wrong.failure.message


@pytest.mark.parametrize(
    ("location", "where", "fix"),
    [
        (
            "https://new.example/run?t=1",
            "https://new.example/run",
            "write url: https://new.example/run and its query",
        ),
        ("//new.example/run", "https://new.example/run", "write url: https://new.example/run"),
        ("/moved", "https://h:8443/moved", "write url: https://h:8443/moved"),
        ("moved", "https://h:8443/a/moved", "write url: https://h:8443/a/moved"),
        ("https://u:p@new.example/", "https://new.example/", "write url: https://new.example/"),
        ("https://accounts.google.com/v3/x", "https://accounts.google.com/v3/x", "check auth: of"),
        ("/login?next=/a", "https://h:8443/login", "check auth: of"),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 304, 307])
def test_a_redirect_says_where_and_what_to_write(
    status: int, location: str, where: str, fix: str
) -> None:
    reply = read_reply(status, {"location": location}, b"", url="https://h:8443/a/b?key=canary")

    assert reply.failure is not None
    assert reply.failure.message.startswith(f"HTTP {status} redirects to {where};")
    assert fix in reply.failure.message
    assert "canary" not in reply.failure.message


@pytest.mark.parametrize(
    "location",
    ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "mailto:a@b", "ftp://h/x"],
)
def test_a_redirect_to_what_is_no_web_address_is_not_repeated(location: str) -> None:
    failure = read_reply(302, {"location": location}, b"", url="https://h/a").failure
    assert failure == Failure(
        "redirect", "HTTP 302 redirects to something that is no http or https URL"
    )


def test_utf_16_is_called_by_its_name() -> None:
    for body in ('{"records": 5}'.encode("utf-16"), b"\xfe\xff\0{\0}"):
        failure = read_reply(200, {"Content-Type": "application/json"}, body).failure
        assert failure is not None
        assert failure.message.endswith("not UTF-8 at byte 0: it is UTF-16")


def test_a_redirect_without_a_place_says_so() -> None:
    for status, said in ((302, "does not say where"), (304, "nothing changed")):
        reply = read_reply(status, {}, b"")
        assert reply.failure is not None
        assert (reply.failure.kind, said in reply.failure.message) == ("redirect", True)
