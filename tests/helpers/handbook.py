"""Makes the HTML of the handbook: docs/*.md become src/runlake/api/static/handbook/*.html.

`make docs` writes the tables into the pages, and the HTML; `test_handbook.py` compares.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from string import Template
from typing import Any, Final, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token
from support import HERE
from tables import with_tables

from runlake.api.docs import FILES, PAGES, START

ROOT: Final = HERE.parent
DOCS: Final = ROOT / "docs"
BUILT: Final = ROOT / "src" / "runlake" / "api" / "static" / "handbook"
_MARKER: Final = re.compile(r"^<!-- .* -->\n", re.MULTILINE)
_TEMPLATE: Final = Template("""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<link rel="icon" type="image/png" sizes="32x32" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/handbook.css">
</head>
<body>
<a class="skip" href="#content">To the text</a>
<nav aria-label="Handbook">
<ul>
$pages
<li><a href="/docs/api">API browser</a></li>
</ul>
</nav>
<main id="content" tabindex="-1">
$content</main>
</body>
</html>
""")


class Heading(NamedTuple):
    """A heading of a page: its level, its id and its text."""

    level: int
    anchor: str
    text: str


class Page(NamedTuple):
    """A page: its name, what Markdown makes of it, and its headings."""

    name: str
    tokens: list[Token]
    headings: list[Heading]

    @property
    def title(self) -> str:
        """The text of the first heading."""
        return self.headings[0].text


def build() -> dict[str, bytes]:
    """Every file of the folder `handbook` by its name. Raises ValueError for a link that leads nowhere."""
    pages = {name: _page(name, (DOCS / f"{name}.md").read_text(encoding="utf-8")) for name in PAGES}
    made = {f"{name}.html": _rendered(page, pages).encode() for name, page in pages.items()}
    return made | {name: (DOCS / name).read_bytes() for name in FILES}


def _markdown() -> MarkdownIt:
    """CommonMark with tables; HTML in a source is text."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    # What may be wider than the screen scrolls, also with the keyboard.
    markdown.add_render_rule("table_open", lambda *_: '<div class="wide" tabindex="0" role="group">\n<table>\n')
    markdown.add_render_rule("table_close", lambda *_: "</table>\n</div>\n")
    markdown.add_render_rule("fence", _fence)
    return markdown


def _fence(_: Any, tokens: list[Token], index: int, *__: Any) -> str:
    return f'<pre class="wide" tabindex="0"><code>{html.escape(tokens[index].content, quote=False)}</code></pre>\n'


def _page(name: str, text: str) -> Page:
    tokens = _MARKDOWN.parse(_MARKER.sub("", text))
    headings = []
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            words = "".join(part.content for part in inline.children or [])
            anchor = slug(words)
            opening.attrSet("id", anchor)
            headings.append(Heading(int(opening.tag[1]), anchor, words))
    if [heading.level for heading in headings].count(1) != 1 or headings[0].level != 1:
        raise ValueError(f"{name} does not begin with its only heading of level 1")
    if len({heading.anchor for heading in headings}) < len(headings):
        raise ValueError(f"{name} has two headings of one name")
    return Page(name, tokens, headings)


def slug(words: str) -> str:
    """The id of a heading, as file views of repositories make it: links work in both."""
    return re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")


def _rendered(page: Page, pages: dict[str, Page]) -> str:
    for token in page.tokens:
        if token.children:
            token.children = list(_linked(token.children, page, pages))
    items = "\n".join(_item(other, page) for other in pages.values())
    content = _MARKDOWN.renderer.render(page.tokens, _MARKDOWN.options, {})
    title = page.title if page.name == START else f"{page.title}: runlake"
    return _TEMPLATE.substitute(title=html.escape(title), pages=items, content=content)


def _item(page: Page, current: Page) -> str:
    address, title = _address(page.name), html.escape(page.title)
    if page is not current:
        return f'<li><a href="{address}">{title}</a></li>'
    inner = "".join(
        f'<li><a href="#{heading.anchor}">{html.escape(heading.text)}</a></li>\n'
        for heading in page.headings
        if heading.level == 2
    )
    listed = f"\n<ul>\n{inner}</ul>\n" if inner else ""
    return f'<li><a href="{address}" aria-current="page">{title}</a>{listed}</li>'


def _address(name: str) -> str:
    return "/docs" if name == START else f"/docs/{name}"


def _linked(tokens: list[Token], page: Page, pages: dict[str, Page]) -> Iterator[Token]:
    """The tokens with links as a service has them. A file that it does not have is named, not linked."""
    aside = ""
    for token in tokens:
        if token.type == "link_open":
            target = str(token.attrs["href"])
            address = _target(target, page, pages)
            if address is None:
                aside = (DOCS / target.partition("#")[0]).resolve().relative_to(ROOT).as_posix()
                continue
            token.attrSet("href", address)
        elif token.type == "image":
            token.attrSet("src", str(_target(str(token.attrs["src"]), page, pages)))
        elif token.type == "link_close" and aside:
            yield Token("text", "", 0, content=" (")
            yield Token("code_inline", "code", 0, content=aside)
            yield Token("text", "", 0, content=" of the repository)")
            aside = ""
            continue
        yield token


def _target(target: str, page: Page, pages: dict[str, Page]) -> str | None:
    """The address of a link; None for a file of the repository. Raises ValueError for one that leads nowhere."""
    if target.startswith("https://"):
        return target
    path, _, anchor = target.partition("#")
    name = path.removesuffix(".md")
    file = DOCS / path if path else DOCS / f"{page.name}.md"
    linked = pages.get(name) if path else page
    known = {heading.anchor for heading in linked.headings} if linked else anchors(file)
    if not file.is_file() or (anchor and anchor not in known):
        raise ValueError(f"{page.name}.md links to {target}, which is not there")
    if path in FILES:
        return f"/docs/{path}"
    if linked is None:
        return None
    return (_address(linked.name) if path else "") + (f"#{anchor}" if anchor else "")


def anchors(file: Path) -> set[str]:
    """The ids of the headings of a Markdown file."""
    if file.suffix != ".md" or not file.is_file():
        return set()
    return {slug(words) for words in re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)}


_MARKDOWN: Final = _markdown()


def main() -> None:
    """Write tables and HTML; a file of a page that is gone goes, too."""
    for name in PAGES:
        source = DOCS / f"{name}.md"
        source.write_text(with_tables(source.read_text(encoding="utf-8")), encoding="utf-8")
    made = build()
    BUILT.mkdir(exist_ok=True)
    for old in set(BUILT.iterdir()) - {BUILT / name for name in made}:
        old.unlink()
    for name, content in made.items():
        (BUILT / name).write_bytes(content)


if __name__ == "__main__":
    main()
