"""What people receive, by a listener for the JSON target of Apprise."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from tests.conftest import MakeWorld
from tests.support import START, World, a_run, broken, catalogue, collector, ok
from werkzeug import Request, Response

from fanfold.adapters.notify.apprise import AppriseTarget
from fanfold.adapters.secrets import EnvironmentSecrets
from fanfold.domain.model.errors import NotConfigured, TargetAway
from fanfold.domain.model.states import RunStatus
from fanfold.domain.report.announcement import Announcement
from fanfold.messages import events
from fanfold.messages.topology import RUN_REPORTS, RUN_REQUESTS
from fanfold.ports.bus import Message

# Apprise loads all its services, and with them modules that Python will drop.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

#: What people are told if nobody says otherwise.
ON = ("failed", "recovered", "missed", "rejected")


class Mailbox:
    """Keeps what arrives, as Apprise's JSON target posts it."""

    def __init__(self, httpserver: HTTPServer) -> None:
        self.url = httpserver.url_for("/s3cr3t").replace("http://", "json://")
        self.messages: list[dict[str, Any]] = []
        self.status = 200
        httpserver.expect_request("/s3cr3t").respond_with_handler(self._take)

    def _take(self, request: Request) -> Response:
        self.messages.append(json.loads(request.get_data()))
        return Response(status=self.status)

    def titles(self) -> list[str]:
        return [each["title"] for each in self.messages]


@pytest.fixture
def mailbox(httpserver: HTTPServer) -> Mailbox:
    return Mailbox(httpserver)


@pytest.fixture
def world(make_world: MakeWorld, mailbox: Mailbox) -> World:
    configured = catalogue(
        collector("dvf", cron="15 2 * * *"),
        collector("plu", cron="15 2 * * *", max_attempts=1),
        collector("sirene", cron="15 2 * * *", max_attempts=1),
        missed_after_s=2700.0,
        notify={"on": ON, "to": ("${MAILBOX}",)},
    )
    return make_world(configured=configured, env={"MAILBOX": mailbox.url})


def night(world: World, number: int, **says: Any) -> None:
    """Let the slot of the night *number* run, with what collectors say in it."""
    for name in ("plu", "sirene"):
        world.client.says(name, says.get(name, ok(40)))
    world.clock.at = START.replace(day=START.day + number)
    world.ask(run_id=None, schedule="nightly")
    world.settle()


def test_people_hear_of_the_first_failure_the_third_slot_and_the_recovery(
    world: World, mailbox: Mailbox
) -> None:
    night(world, 0)
    assert mailbox.titles() == []

    night(world, 1, plu=broken(404, retryable=False))
    assert mailbox.titles() == ["✗ plu failed: http 404"]
    body = mailbox.messages[-1]["message"]
    assert "nightly, Tue 24 Nov 02:15: 2 of 3 succeeded" in body
    assert "fanfold retry 2026-11-24T0215Z-nightly" in body
    assert "last good Mon 23 Nov 02:15 UTC, 40 records" in body

    night(world, 2, plu=broken(404, retryable=False))
    assert len(mailbox.messages) == 1

    night(world, 3, plu=broken(404, retryable=False))
    assert mailbox.titles()[1:] == ["✗ plu still failing, 3 slots: http 404"]

    night(world, 4)
    assert mailbox.titles()[2:] == ["✓ plu recovered after 3 failed slots"]
    night(world, 5)
    assert len(mailbox.messages) == 3


def test_all_of_one_run_is_one_message_new_before_old_and_equal_causes_together(
    world: World, mailbox: Mailbox
) -> None:
    failing = broken(404, retryable=False)
    night(world, 0)
    night(world, 1, plu=failing, sirene=failing)
    assert mailbox.titles() == ["✗ 2 new failures: http 404"]
    assert "✗ http 404: 2 collectors\n    plu  sirene" in mailbox.messages[0]["message"]

    night(world, 2, sirene=broken(410, retryable=False))
    assert mailbox.titles()[1:] == ["✓ plu recovered after 1 failed slot"]
    night(world, 3, plu=failing, sirene=broken(410, retryable=False))
    assert mailbox.titles()[2:] == ["✗ plu failed: http 404"]
    body = mailbox.messages[2]["message"]
    assert 0 < body.index("NEW") < body.index("STILL FAILING")


def test_a_missed_slot_and_a_refused_request_are_told_once(world: World, mailbox: Mailbox) -> None:
    night(world, 0)
    world.publish(RUN_REQUESTS, Message(b'{"tags": ["dailly"]}'))
    world.settle()
    world.clock.forward(86_400 + 2760)
    world.tick()
    world.tick()

    refused, missed = mailbox.titles()
    assert refused.startswith("✗ refused: not started: ")
    assert "dailly" in refused
    assert missed.startswith("▢ missed: no run came for the slot of 2026-11-24 02:15 UTC")


def test_only_what_is_asked_for_is_told(world: World, mailbox: Mailbox) -> None:
    world.configured.notify["on"] = ("succeeded",)  # type: ignore[index]
    night(world, 0)
    night(world, 1, plu=broken(404, retryable=False))

    (title,) = mailbox.titles()
    assert title.startswith("✓ ")


def test_a_collector_can_mention_nobody(world: World, mailbox: Mailbox) -> None:
    says = broken(404, kind="<!channel> @here `x`", retryable=False)
    night(world, 0, plu=says)

    assert mailbox.titles() == ["✗ plu failed: (!channel) (at)here 'x' 404"]


def test_a_mailbox_that_is_away_is_told_later_and_only_once(world: World, mailbox: Mailbox) -> None:
    mailbox.status = 503
    night(world, 0, plu=broken(404, retryable=False))
    assert world.run("2026-11-23T0215Z-nightly").announced_at is not None
    mailbox.status = 200
    world.live(1800, step_s=600)

    assert len(mailbox.messages) == 2
    assert world.dead() == []


def test_no_error_shows_where_a_message_goes(
    mailbox: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    mailbox.status = 403
    secrets = EnvironmentSecrets({"MAILBOX": mailbox.url, "BAD": "nonsense://s3cr3t"})
    sample = Announcement(f"at {datetime.now(UTC):%H:%M}", "")
    with pytest.raises(TargetAway, match=r"notify\.to\[0\] did not take the message") as away:
        AppriseTarget("to[0]", "${MAILBOX}", secrets).say(sample)
    with pytest.raises(NotConfigured, match=r"notify\.slack: Apprise knows no service") as unknown:
        AppriseTarget("slack", "${BAD}", secrets).say(sample)

    printed = capsys.readouterr()
    for text in (str(away.value), str(unknown.value), printed.out, printed.err):
        assert "s3cr3t" not in text


def test_slots_that_were_missed_together_are_one_message(world: World, mailbox: Mailbox) -> None:
    night(world, 0)
    slots = [START.replace(day=START.day + number) for number in (1, 2, 3)]
    for slot in slots:
        record = a_run(
            f"{slot:%Y-%m-%dT%H%MZ}-nightly-missed",
            scheduled_for=slot,
            verdict=RunStatus.MISSED,
            about=f"missed: no run came for the slot of {slot:%Y-%m-%d %H:%M} UTC",
        )
        notice = events.encode_notice(record, at=world.clock.now(), together=slots)
        world.publish(RUN_REPORTS, notice)
        world.settle()

    assert mailbox.titles() == [
        "▢ missed: no run came for 3 slots, 2026-11-24 02:15 to 2026-11-26 02:15 UTC"
    ]
    body = mailbox.messages[0]["message"]
    assert "    2026-11-25 02:15 UTC\n" in body
    assert "    fanfold backfill 2026-11-24T02:15Z 2026-11-26T02:15Z" in body


def test_links_lead_to_where_the_reports_are_served(world: World, mailbox: Mailbox) -> None:
    world.configured.notify["links"] = "https://reports.example/fanfold"  # type: ignore[index]
    night(world, 0, plu=broken(404, retryable=False))

    link = "https://reports.example/fanfold/2026-11-23T0215Z-nightly/report.html"
    assert f"Report: {link}" in mailbox.messages[0]["message"]


def test_once_a_week_people_hear_that_fanfold_lives(world: World, mailbox: Mailbox) -> None:
    world.configured.notify["proof_of_life"] = "weekly"  # type: ignore[index]
    for number in range(7):
        night(world, number)
    night(world, 7, plu=broken(404, retryable=False))
    world.clock.at = START.replace(day=30, hour=7, minute=59)  # the next Monday
    world.tick()
    assert [title for title in mailbox.titles() if "alive" in title] == []

    world.clock.forward(60)
    for _ in range(3):
        world.tick()
    (alive,) = [each for each in mailbox.messages if "alive" in each["title"]]
    assert alive["title"] == "✗ fanfold is alive: 6 of 7 slots succeeded, 1 collector failing"
    assert "7 runs, 0 by hand; 0 missed slots; 0 refused requests" in alive["message"]
    assert "failing: plu; fanfold status" in alive["message"]


def test_a_service_whose_answer_leads_elsewhere_is_not_followed(httpserver: HTTPServer) -> None:
    elsewhere = {"Location": httpserver.url_for("/elsewhere")}
    httpserver.expect_request("/mail").respond_with_data("", 307, elsewhere)
    httpserver.expect_request("/elsewhere").respond_with_data("")
    url = httpserver.url_for("/mail").replace("http://", "json://")
    with pytest.raises(TargetAway):
        AppriseTarget("to[0]", url, EnvironmentSecrets({})).say(Announcement("x", ""))

    assert [request.path for request, _ in httpserver.log] == ["/mail"]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("json://mail.example/x", "over https only, or to this machine"),
        ("json://127.0.0.1.example/x", "over https only"),
        ("json://u:p@mail.example?a=@localhost", "over https only"),
        ("json://localhost/a, json://localhost/b", "write one entry for each"),
        ("not a url", "this is no URL of Apprise"),
    ],
)
def test_what_check_refuses_is_not_called_either(url: str, why: str) -> None:
    with pytest.raises(NotConfigured, match=why):
        AppriseTarget("to[0]", "${URL}", EnvironmentSecrets({"URL": url})).say(
            Announcement("x", "")
        )


def test_a_target_is_known_by_its_kind_and_address_not_by_its_place_in_the_list() -> None:
    class Nothing:
        def secret(self, _: str) -> str:
            return ""

    nothing: Any = Nothing()
    first, moved = (AppriseTarget(f"to[{n}]", "mailto://a", nothing).key for n in (0, 3))
    assert first == moved
    assert re.fullmatch("to/[0-9a-f]{12}", first)
    assert AppriseTarget("slack", "mailto://a", nothing).key == first.replace("to/", "slack/")
    assert AppriseTarget("to[0]", "mailto://b", nothing).key != first
