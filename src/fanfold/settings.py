"""Settings from the environment: where things are. What fanfold does is in the configuration file.

The table in docs/configuration.md is tested against :data:`VARIABLES`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fanfold.domain.model.errors import NotConfigured
from fanfold.domain.rules.key_strength import MAKE_A_KEY, guessable
from fanfold.logs import SEVERITIES

#: Every variable that fanfold itself reads, with one line on what it means.
VARIABLES: Mapping[str, str] = {
    "FANFOLD_CONFIG": "the configuration file (config/config.yaml)",
    "FANFOLD_DB": "the embedded backend's SQLite file (fanfold.db)",
    "FANFOLD_BACKEND": "embedded or google (embedded)",
    "FANFOLD_TOPIC_PREFIX": "put before every topic and subscription, to name an environment",
    "FANFOLD_CALLBACK_URL": "where collectors reach the callback endpoint from outside",
    "FANFOLD_CALLBACK_KEY": (
        "key of the callback tokens (openssl rand -hex 32); embedded makes its own if absent"
    ),
    "FANFOLD_RELAY_URL": "where Cloud Tasks reaches the relay, with use_cloud_tasks",
    "FANFOLD_CONSOLE_BEHIND": "what stands before the console on Google Cloud: iam or iap (iam)",
    "FANFOLD_TASKS_ACCOUNT": "as whom Cloud Tasks calls it (service_account_email)",
    "FANFOLD_TASKS_LOCATION": "the region of the Cloud Tasks queue",
    "FANFOLD_TASKS_QUEUE": "the Cloud Tasks queue (queue_name)",
    "FANFOLD_REPORT_MODE": "mode of report files in a folder, octal (0600: the owner alone)",
    "FANFOLD_LOG_LEVEL": "least severity logged: DEBUG, INFO, NOTICE, WARNING or ERROR (INFO)",
    "GOOGLE_CLOUD_PROJECT": "the Google Cloud project of the google backend",
    "FUNCTION_AUTH_TOKEN": "bearer token for collectors without an auth of their own",
}

#: A file's mode in octal: the owner reads and writes, the others may.
_FILE_MODE = re.compile(r"0?6[0246]{2}", re.ASCII)

BACKENDS = ("embedded", "google")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are, for one process."""

    config: Path = Path("config/config.yaml")
    database: Path = Path("fanfold.db")
    backend: str = "embedded"
    topic_prefix: str = ""
    callback_url: str = ""
    callback_key: str = ""
    relay_url: str = ""
    tasks_account: str = ""
    tasks_location: str = ""
    tasks_queue: str = ""
    report_mode: int = 0o600
    log_level: str = "INFO"
    project: str = ""


def read_settings(env: Mapping[str, str]) -> Settings:
    """Return the settings that *env* makes.

    Raises:
        NotConfigured: A variable holds what it cannot hold.
    """
    backend = env.get("FANFOLD_BACKEND") or "embedded"
    if backend not in BACKENDS:
        raise NotConfigured(f"FANFOLD_BACKEND={backend!r}: use {' or '.join(BACKENDS)}")
    log_level = (env.get("FANFOLD_LOG_LEVEL") or "INFO").upper()
    if log_level not in SEVERITIES:
        raise NotConfigured(f"FANFOLD_LOG_LEVEL={log_level!r}: use one of {', '.join(SEVERITIES)}")
    report_mode = env.get("FANFOLD_REPORT_MODE") or "0600"
    if not _FILE_MODE.fullmatch(report_mode):
        raise NotConfigured(
            f"FANFOLD_REPORT_MODE={report_mode!r}: use 0600, 0640, 0644 or another mode that lets "
            "the owner read and write"
        )
    callback_key = env.get("FANFOLD_CALLBACK_KEY", "")
    if why := guessable(callback_key):
        raise NotConfigured(
            f"FANFOLD_CALLBACK_KEY {why}, so whoever guesses it can answer for every collector: "
            f"export FANFOLD_CALLBACK_KEY=$({MAKE_A_KEY})"
        )
    return Settings(
        config=Path(env.get("FANFOLD_CONFIG") or "config/config.yaml"),
        database=Path(env.get("FANFOLD_DB") or "fanfold.db"),
        backend=backend,
        topic_prefix=env.get("FANFOLD_TOPIC_PREFIX", ""),
        callback_url=env.get("FANFOLD_CALLBACK_URL", "").rstrip("/"),
        callback_key=callback_key,
        relay_url=env.get("FANFOLD_RELAY_URL", "").rstrip("/"),
        tasks_account=env.get("FANFOLD_TASKS_ACCOUNT", ""),
        tasks_location=env.get("FANFOLD_TASKS_LOCATION", ""),
        tasks_queue=env.get("FANFOLD_TASKS_QUEUE", ""),
        report_mode=int(report_mode, 8),
        log_level=log_level,
        project=env.get("GOOGLE_CLOUD_PROJECT", ""),
    )
