"""What is special about a place in the file.

The whole path tells it, not the key alone: a collector may be called ``auth``.
"""

from __future__ import annotations

KeyPath = tuple[str | int, ...]


def setting_of(path: KeyPath) -> KeyPath:
    """Return *path* from the collector, or the defaults, on; empty where it is not below one."""
    match path:
        case ("scheduler", "defaults", *setting) | ("scheduler", "collectors", str(), *setting):
            return tuple(setting)
    return ()


def bears_secrets(path: KeyPath) -> bool:
    """Return whether the value at *path* stays a template until it is used."""
    if path[:1] == ("notify",):
        return path[1:2] in {("to",), ("slack",), ("webhook",), ("heartbeat",)}
    if path[:1] == ("network",):
        return path[1:2] == ("proxy",)
    return setting_of(path)[:2] in {("auth", "bearer"), ("auth", "header")}


def in_params(path: KeyPath) -> bool:
    """Return whether *path* is inside a collector's parameters, where null is a value."""
    return setting_of(path)[:1] == ("params",)


def whole_of(path: KeyPath) -> KeyPath:
    """Return the path of what is absent together with the value at *path*.

    That is the value itself. But an ``auth`` with a part that is wrong is absent as a whole.
    """
    setting = setting_of(path)
    return path[: len(path) - len(setting) + 1] if setting[:1] == ("auth",) else path


def dotted(path: KeyPath) -> str:
    """Return *path* as a person writes it: ``scheduler.collectors.dvf.tags[0]``."""
    words = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in path]
    return "".join(words).removeprefix(".")
