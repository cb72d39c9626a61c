"""Reads a page as a browser would, and complains about whatever is not well formed."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "link", "wbr"}
#: Shapes hold nothing; but a rectangle may hold its title.
SHAPES = {"line", "rect", "polyline", "circle", "path", "use"}


class Page(HTMLParser):
    """A parsed page: its tags, its text, and whether every tag was closed in its place."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(html)
        self.close()
        assert self.open == [], f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute twice in <{tag}>"
        assert tag == "rect" or tag not in SHAPES, f"<{tag}> is not closed"
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in SHAPES, f"<{tag}/> is no shape"
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self.open[-1] if self.open else "", []).append(data)

    def named(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def classes(self, tag: str, word: str) -> list[dict[str, str]]:
        return [each for each in self.named(tag) if word in each.get("class", "").split()]

    def text(self, tag: str) -> str:
        return "".join(self.texts.get(tag, []))
