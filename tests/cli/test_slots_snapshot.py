"""What was read of a configuration's slots is kept for a day, and ``status`` loads little."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import MISSING, Field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Folder

from fanfold.cli import slots_snapshot
from fanfold.cli.slots_snapshot import RecordedEnvironment, keep_slots, kept_slots
from fanfold.config import load

CONFIG = """
version: 2
scheduler:
  timezone: ${ZONE:-Europe/Paris}
  collectors:
    dvf: { url: "https://dvf.example/run", schedule: "15 3 * * *", tags: [daily] }
    plu: { url: "https://plu.example/run", auth: { bearer: "${PLU_TOKEN}" }, enabled: false }
"""

#: Gives every field of the catalogue and of its collector another value than the default.
EVERY_FIELD = """
version: 2
scheduler:
  timezone: Europe/Rome
  name: nightly
  max_concurrent_collectors: 3
  run_timeout: 3h
  missed_after: 50m
  max_trigger_age: 2h
  tolerated_failures: 10%
  use_cloud_tasks: true
  use_secret_manager: true
  queue_name: lane
  service_account_email: relay@hush.example
  groups:
    mirrors: { any_of: [dvf, dvf2], at_least: 2 }
  collectors:
    dvf:
      url: "https://hush.example/run"
      schedule: "15 3 * * *"
      timeout: 8m
      retries: { max: 4, backoff: 40s, max_backoff: 11m }
      auth: { bearer: "${HUSH}" }
      mode: async
      params: { token: hush }
      tags: [daily]
      criticality: optional
      expect: { min_records: 7, not_exactly: [10000], schema: unchanged }
      upstream: source
      wait_timeout: 12m
      heartbeat: 2m
      slow_after: 5m
      on_overlap: queue
      transport: pubsub
    dvf2: { url: "https://hush.example/2", slow_after: usual x 2 }
    plu: { url: "https://hush.example/plu", enabled: false }
upstreams:
  source: { max_concurrent: 2, per_minute: 30, breaker: { failures: 4, pause: 7m } }
network: { proxy: "http://hush.example:3128", ca_file: /etc/our.pem }
report: { folder: /elsewhere, keep: 30d }
notify: { slack: "https://hush.example/slack" }
console: { open: true, hosts: [hush.example], trusted_proxies: [10.9.8.7] }
"""

#: What is a secret or an address, or may hold one: it is not kept.
NOT_KEPT = {
    *("url", "auth", "params", "proxy"),
    *("service_account_email", "notify", "console"),
}

#: What ``fanfold status`` does not need once the slots are known.
NEEDLESS = (
    *("pydantic", "yaml", "fanfold.config", "fanfold.rendering.page", "fanfold.rendering.markdown"),
    *(
        "jinja2",
        "rich",
        "requests",
        "pycurl",
        "flask",
        "fanfold.app.dispatch",
        "fanfold.runtime.parts",
    ),
)

#: Most of our own modules that ``fanfold status`` loads.
MOST_OF_OURS = 120


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "config.yaml").write_text(CONFIG, "utf-8")
    return {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PLU_TOKEN": "hush-hush", "OTHER": "x"}


def read_and_keep(path: Path, env: dict[str, str]) -> None:
    recorded = RecordedEnvironment(env)
    keep_slots(path, recorded, load(path, recorded).catalogue)


def test_slots_that_were_read_are_not_read_again(tmp_path: Path, env: dict[str, str]) -> None:
    path = tmp_path / "config.yaml"
    assert kept_slots(path, env) is None
    read_and_keep(path, env)
    kept = kept_slots(path, {**env, "OTHER": "changed"})
    assert kept is not None
    assert kept.timezone == "Europe/Paris"
    assert [(each.name, each.enabled, each.cron) for each in kept.collectors] == [
        ("dvf", True, "15 3 * * *"),
        ("plu", False, None),
    ]


@pytest.mark.parametrize("change", ["file", "set", "unset", "value", "version", "day", "damage"])
def test_they_are_read_again_once_anything_changed(
    tmp_path: Path, env: dict[str, str], change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.yaml"
    read_and_keep(path, env)
    assert kept_slots(path, env) is not None
    if change == "file":
        path.write_text(CONFIG.replace("15 3", "16 3"), "utf-8")
    elif change == "set":
        env["ZONE"] = "Europe/Rome"
    elif change == "unset":
        del env["PLU_TOKEN"]
    elif change == "value":
        env["PLU_TOKEN"] = "another"
    elif change == "version":
        monkeypatch.setattr(slots_snapshot, "__version__", "99")
    elif change == "day":

        class Tomorrow(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> Any:
                return datetime(2100, 1, 1, tzinfo=tz or UTC)

        monkeypatch.setattr(slots_snapshot, "datetime", Tomorrow)
    else:
        (file,) = (tmp_path / "cache/fanfold").iterdir()
        file.write_text(file.read_text("utf-8")[:-20], "utf-8")
    assert kept_slots(path, env) is None


def test_no_secret_and_no_address_is_kept_and_nobody_else_may_read(
    tmp_path: Path, env: dict[str, str]
) -> None:
    read_and_keep(tmp_path / "config.yaml", env)
    (file,) = (tmp_path / "cache/fanfold").iterdir()
    text = file.read_text("utf-8")
    assert not [each for each in ("hush", "example", "bearer") if each in text]
    assert file.stat().st_mode & 0o077 == 0


def test_all_is_kept_but_secrets_and_addresses(tmp_path: Path, env: dict[str, str]) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(EVERY_FIELD, "utf-8")
    env["HUSH"] = "hush-hush"
    read_and_keep(path, env)
    read, kept = load(path, env).catalogue, kept_slots(path, env)
    assert kept is not None
    pairs: list[tuple[Any, Any]] = [(read, kept)]
    for was, stays in zip(read.collectors, kept.collectors, strict=True):
        pairs += [(was, stays), (was.spec, stays.spec)]
    declared, told = set[str](), set[str]()
    for one, other in pairs:
        for each in fields(one):
            value, default = getattr(one, each.name), default_of(each)
            declared.add(each.name)
            told.update({each.name} if value != default else ())
            if each.name in NOT_KEPT:
                assert getattr(other, each.name) in (default, ""), each.name
            elif each.name not in ("collectors", "spec"):  # their fields are looked at one by one
                assert getattr(other, each.name) == value, each.name
    assert declared == told, "EVERY_FIELD leaves some at their default"
    (file,) = (tmp_path / "cache/fanfold").iterdir()
    assert not [each for each in ("hush", "example", "10.9.8.7") if each in file.read_text("utf-8")]


def default_of(declared: Field[Any]) -> Any:
    """Return the default of a field of a dataclass, MISSING if it has none."""
    factory = declared.default_factory
    return declared.default if factory is MISSING else factory()


@pytest.mark.parametrize("home", [{}, {"HOME": ""}, {"XDG_CACHE_HOME": "relative"}])
def test_without_a_cache_folder_nothing_is_kept(
    tmp_path: Path, env: dict[str, str], home: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    del env["XDG_CACHE_HOME"]
    read_and_keep(tmp_path / "config.yaml", env | home)
    assert kept_slots(tmp_path / "config.yaml", env | home) is None
    assert sorted(each.name for each in tmp_path.iterdir()) == ["config.yaml"]


def test_who_asks_for_all_variables_depends_on_all() -> None:
    recorded = RecordedEnvironment({"A": "1"})
    assert (recorded.get("A"), recorded.get("B"), recorded.names) == ("1", None, {"A", "B"})
    assert list(recorded) == ["A"]
    assert recorded.names is None


def test_status_says_the_same_the_second_time_and_loads_little(
    folder: Folder, tmp_path: Path
) -> None:
    folder.run("run")
    code = (
        "import sys; from fanfold.cli import main; code = main(['status']);"
        "print(*sys.modules, sep='\\n', file=sys.stderr); sys.exit(code)"
    )
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    said = [
        subprocess.run(
            [sys.executable, "-c", code],
            check=False,
            cwd=folder.path,
            env=env,
            capture_output=True,
            text=True,
        )
        for _ in range(2)
    ]
    assert [each.returncode for each in said] == [0, 0]
    first, second = (each.stdout.splitlines() for each in said)
    assert first[:3] == second[:3]
    loaded = said[1].stderr.split()
    assert [name for name in NEEDLESS if name in loaded] == []
    assert len([name for name in loaded if name.startswith("fanfold.")]) < MOST_OF_OURS
    assert "fanfold.config" in said[0].stderr.split()


def test_a_file_with_something_wrong_in_it_is_read_each_time(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder.path / "cache"))
    folder.run("run")
    (folder.path / "config.yaml").write_text("version: 2\nscheduler: {colectors: {}}\n", "utf-8")
    for _ in range(2):
        said = folder.run("status")
        assert said.code == 5
        assert "colectors" in said.out
    assert not (folder.path / "cache").exists()


def test_status_says_the_same_of_every_key_the_second_time(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder.path / "cache"))
    monkeypatch.setenv("HUSH", "hush-hush")
    folder.run("run")
    text = EVERY_FIELD.replace("use_cloud_tasks: true", "use_cloud_tasks: false")
    text = text.replace(", ca_file: /etc/our.pem", "")  # a file with warnings is read each time
    (folder.path / "config.yaml").write_text(text, "utf-8")
    read, kept = (json.loads(folder.run("status", "--format", "json").out) for _ in range(2))
    assert len(list((folder.path / "cache/fanfold").iterdir())) == 1
    assert read == kept
