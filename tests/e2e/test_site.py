"""The documentation as a site: whole, and without anything from a network."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
LOADED = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*?(?:src|href)=[\"']?([^\"'\s>]+)")
Build = Callable[[Path], subprocess.CompletedProcess[str]]


def build(project: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    command = (sys.executable, "-m", "mkdocs", "build", "--strict")
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the site is made of, built."""
    folder = tmp_path_factory.mktemp("site")
    for name in ("docs", "docker", "scripts", "src", "sweeps"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for file in (ROOT / "mkdocs.yml", *ROOT.glob("*.md")):
        shutil.copy(file, folder)
    done = build(folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_its_pages_load_nothing_from_a_network(project: Path) -> None:
    pages = list((project / "build" / "docs").rglob("*.html"))
    assert len(pages) > 25
    loaded = {address for page in pages for address in LOADED.findall(page.read_text())}
    assert any(address.endswith(".js") for address in loaded)
    assert not [address for address in loaded if re.match(r"(\w+:)?//", address)]
    styles = [file.read_text() for file in (project / "build" / "docs").rglob("*.css")]
    assert not [text for text in styles if re.search(r"(url\(|@import )[\"']?(\w+:)?//", text)]


def test_what_pages_link_to_outside_docs_is_on_the_site(project: Path) -> None:
    site = project / "build" / "docs"
    assert (site / "files" / "docker" / "Dockerfile").read_bytes() == (ROOT / "docker" / "Dockerfile").read_bytes()
    assert 'href="security.html"' in (site / "cluster.html").read_text()
    assert 'href="method.html"' in (site / "contributing.html").read_text()


@pytest.mark.parametrize(
    ("link", "fault"),
    [
        ("nowhere.md", "is not found"),
        ("method.md#nothing", "does not contain an anchor"),
        ("../nothing.md", "not found"),
    ],
)
def test_a_broken_link_is_an_error(project: Path, link: str, fault: str) -> None:
    page = project / "docs" / "index.md"
    text = page.read_text()
    page.write_text(f"{text}\n[here]({link})\n")
    done = build(project)
    page.write_text(text)
    assert done.returncode == 1
    assert fault in done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if not re.match(r"\w+:", link)]
    site_only = {page.parent / name for name in ("security.md", "contributing.md", "changelog.md")}
    missing = [link for link in links if link and not (page.parent / link).exists()]
    assert [link for link in missing if page.parent / link not in site_only] == []


@pytest.fixture
def reference(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Load one of the scripts behind docs/reference/, under no name, as tests/ has a module `reference` of its own."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))

    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(f"scripts.{name}", ROOT / "scripts" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        return module

    return load


def test_generated_pages_are_those_of_the_code(reference: Callable[[str], ModuleType]) -> None:
    assert reference("reference").main(["--check"]) == 0


def test_a_stale_page_is_named(
    reference: Callable[[str], ModuleType],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    script = reference("reference")
    monkeypatch.setattr(script, "FOLDER", tmp_path)
    assert script.main([]) == 0
    (tmp_path / "settings.md").write_text("old")
    assert script.main(["--check"]) == 1
    assert capsys.readouterr().err.startswith("docs/reference: stale: settings.md;")


def test_every_setting_and_command_is_in_the_reference(reference: Callable[[str], ModuleType]) -> None:
    from actsweep.cli import COMMANDS
    from actsweep.settings import StudyConfig

    settings = reference("reference_settings").settings_page()
    assert not [group for group in StudyConfig.model_fields if f"| `{group}" not in settings]
    commands = reference("reference_commands").commands_page()
    assert not [name for name in COMMANDS if f"\n### {name}\n" not in commands]


@pytest.mark.parametrize(
    ("file", "before", "after", "refusal"),
    [
        ("search/random.yaml", "name: random # ", "# ", "conf/search/random.yaml: no comment on the line of its name"),
        (
            "experiment/smoke.yaml",
            "_\n# The",
            "_\n\n# The",
            "conf/experiment/smoke.yaml: no comment under its first line",
        ),
    ],
)
def test_a_choice_whose_comment_stands_elsewhere_is_refused(
    reference: Callable[[str], ModuleType],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    file: str,
    before: str,
    after: str,
    refusal: str,
) -> None:
    script = reference("reference_settings")
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    choice = tmp_path / "conf" / file
    choice.write_text(choice.read_text().replace(before, after))
    monkeypatch.setattr(script, "CONF", tmp_path / "conf")
    with pytest.raises(SystemExit, match=refusal):
        script.settings_page()


def test_messages_are_read_as_they_are_written(reference: Callable[[str], ModuleType]) -> None:
    import ast

    source = (
        'raise RequestError(f"--out {clean(self.out)}: is " + ("no" if new else "a") + f" file; {known_are(names)}")'
    )
    found = list(reference("reference_errors").raised(ast.parse(source), in_settings=False))
    assert found == [("RequestError", "--out {out}: is {no|a} file; {known are ...}")]


def test_the_page_of_files_names_every_key_and_column(smoke: Any) -> None:
    import pandas as pd

    page = (ROOT / "docs" / "reference" / "files.md").read_text()
    results = smoke.results
    entries = [
        results["study"],
        *(results[key][0] for key in results if isinstance(results[key], list) and results[key]),
    ]
    keys = {key for entry in entries for key in entry} | {*pd.read_parquet(smoke.folder / "curves.parquet").columns}
    stems = {
        re.sub(r"_(epochs|steps|seconds)?_?(hi|lo)$|^(rmst|ert)_.*", "", re.sub(r"_(low|high)$", "", key))
        for key in keys
    }
    assert not [key for key in {*results, *stems} - {""} if f"`{key}`" not in page]
