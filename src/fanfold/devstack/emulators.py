"""How to start the official emulators: their jars where they are installed, gcloud otherwise."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from fanfold.domain.model.errors import NotConfigured

#: What a developer's machine spares them: less compiling, less memory.
JVM_FLAGS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx1g", "-Duser.language=en")


def pubsub_command(port: int, project: str) -> Sequence[str]:
    """Return the command that starts the Pub/Sub emulator."""
    gcloud, platform = _installed()
    jars = sorted((platform / "pubsub-emulator" / "lib").glob("cloud-pubsub-emulator-*.jar"))
    if jars:
        address = ("--host=127.0.0.1", f"--port={port}")
        return ["java", *JVM_FLAGS, "-jar", str(jars[-1]), *address]
    return [
        *(gcloud, "beta", "emulators", "pubsub", "start", "--quiet"),
        *(f"--host-port=127.0.0.1:{port}", f"--project={project}"),
    ]


def firestore_command(port: int) -> Sequence[str]:
    """Return the command that starts the Firestore emulator in native mode."""
    gcloud, platform = _installed()
    jar = platform / "cloud-firestore-emulator" / "cloud-firestore-emulator.jar"
    if jar.exists():
        return [
            *("java", *JVM_FLAGS, "-cp", str(jar)),
            *("com.google.cloud.datastore.emulator.firestore.CloudFirestore", "start"),
            *("--host=127.0.0.1", f"--port={port}", "--database-mode=firestore-native"),
        ]
    return [gcloud, "emulators", "firestore", "start", "--quiet", f"--host-port=127.0.0.1:{port}"]


def _installed() -> tuple[str, Path]:
    gcloud = shutil.which("gcloud")
    if gcloud is None or shutil.which("java") is None:
        raise NotConfigured(
            "the emulators need gcloud and Java 17 or newer: "
            "https://cloud.google.com/sdk/docs/install, then "
            "`gcloud components install beta pubsub-emulator cloud-firestore-emulator`"
        )
    return gcloud, Path(gcloud).resolve().parent.parent / "platform"
