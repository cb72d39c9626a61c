"""The tree of the file: what is wrong in it is marked, and nothing else is."""

from __future__ import annotations

from fanfold.config.file.nodes import Node
from fanfold.config.file.reader import read_tree
from fanfold.config.file.source import source_of


def tree(text: bytes) -> Node:
    return read_tree(source_of(text, "config.yaml"))


def broken(root: Node) -> list[str]:
    """Return the dotted paths of the marked nodes that are in maps."""
    paths = [(), ("notify",), ("notify", "on"), ("notify", "slack")]
    return [".".join(path) for path in paths if (node := root.get(*path)) and node.broken]


def test_two_wrong_items_take_their_list_and_nothing_above_it() -> None:
    root = tree(b"notify: {on: [a, b], slack: x}\n")
    for index in (0, 1):
        root.break_at(("notify", "on", index))
    assert broken(root) == ["notify.on"]


def test_a_node_that_is_marked_already_hands_on_to_the_one_above() -> None:
    root = tree(b"notify: {on: a, slack: x}\n")
    marked = []
    for _ in range(4):
        root.break_at(("notify", "on"))
        marked.append(broken(root))
    assert marked == [
        ["notify.on"],
        ["notify", "notify.on"],
        ["", "notify", "notify.on"],
        ["", "notify", "notify.on"],
    ]


def test_a_path_that_is_not_there_marks_the_nearest_node() -> None:
    root = tree(b"notify: {slack: x}\n")
    root.break_at(("notify", "on", 0))
    assert broken(root) == ["notify"]
    assert root.nearest(("notify", "slack", "deeper")).value == "x"
    assert root.get("notify", "slack", "deeper") is None
