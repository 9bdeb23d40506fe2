"""What MkDocs is told beside mkdocs.yml: pages and files outside docs/ that the pages link to become part of the site.

A link in a page is written for whoever reads the file in the repository, such as `../SECURITY.md`. For the site it is
turned to where that file is there; one to a folder becomes plain text.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from posixpath import dirname, normpath, relpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
PAGES = {"SECURITY.md": "security.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
HOME = "README.md"
LINK = re.compile(r"\[(?P<text>[^\]\n]*)\]\((?P<path>[^)\s#]+)(?P<anchor>#[^)\s]*)?\)")
FOREIGN = re.compile(r"\w+:")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages and files from outside docs/."""
    for source, page in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text()))
    for path in sorted(linked_files()):
        files.append(File.generated(config, f"files/{path}", content=(ROOT / path).read_bytes()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn the links of a page to where things are on the site."""
    return turned(markdown, page.file.src_uri)


def turned(markdown: str, page: str) -> str:
    """The text of a page, given by its place on the site, with its links turned."""

    def one(link: re.Match[str]) -> str:
        path = repository_path(link["path"], source_of(page))
        if path is None:
            return link[0]
        place = site_place(path)
        return (
            link["text"]
            if place is None
            else f"[{link['text']}]({relpath(place, dirname(page) or '.')}{link['anchor'] or ''})"
        )

    return LINK.sub(one, markdown)


def source_of(page: str) -> str:
    """The file of the repository that a page of the site is made of."""
    return next((source for source, place in PAGES.items() if place == page), f"docs/{page}")


def repository_path(link: str, source: str) -> str | None:
    """What a link in a file of the repository leads to there; None for an address."""
    return None if FOREIGN.match(link) else normpath(f"{dirname(source) or '.'}/{link}")


def site_place(path: str) -> str | None:
    """Where a path of the repository is on the site; None for a folder."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    if path == HOME:
        return "index.md"
    if (ROOT / path).is_dir():
        return None
    return PAGES.get(path, f"files/{path}")


def linked_files() -> Iterator[str]:
    """The files outside docs/ that pages link to, but for those that are pages themselves."""
    sources = [*PAGES, *(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))]
    paths = {
        path
        for source in sources
        for link in LINK.finditer((ROOT / source).read_text())
        if (path := repository_path(link["path"], source)) is not None
    }
    return (
        path for path in paths if (place := site_place(path)) and place.startswith("files/") and (ROOT / path).is_file()
    )
