"""The page of settings: where each stands, what conf/ gives it, what is accepted, and what it means.

Defaults and meanings are those of conf/ (the comment on a setting's line); a setting without a comment there has its
meaning from the docstring of its class. What is accepted is told by the classes themselves.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic.fields import FieldInfo

from actsweep.settings import PlainName, Settings, StudyConfig, registry_of

CONF = Path(__file__).resolve().parent.parent / "conf"
TYPES = {"integer": "whole number", "number": "number", "string": "text", "boolean": "`true`, `false`"}
TYPES |= {"object": "a mapping", "array": "a list", "null": "`null`"}
OF_A_PLUGIN = "set by the choice; a plugin's part is chosen by its name here"
SHORT = 60  # characters of a default; longer ones are left to the configuration file
INTRODUCTION = """# Settings

Every setting, by the path that stands on a command line: `actsweep sweep trainer.epochs=30`. A group is chosen as a
whole, `optimizer=sgd`, and its settings are then those of that choice. `null` is "none". Which values a study compares
and tunes is written under `study.scientific` and `study.nuisance`, with the same paths below: [method](../method.md),
[searching](../search.md). Defaults are those of the group's choice that is made without a word (in bold below), before
an experiment changes them; what another choice sets otherwise stands in brackets.

`actsweep sweep --cfg job` shows the configuration that would run, and `actsweep sweep --help` all of it with the
choices.
"""


@dataclass
class Choice:
    """One file of a group: its values by path below the group, and the comments on their lines."""

    name: str
    values: dict[str, Any] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)


def read_choice(file: Path) -> Choice:
    """Read a configuration file."""
    text = file.read_text()
    return Choice(file.stem, dict(leaves(yaml.safe_load(text) or {})), dict(comments(text)))


def leaves(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a nested mapping, and every mapping, by its path."""
    for key, value in tree.items():
        yield f"{above}{key}", value
        if isinstance(value, dict):
            yield from leaves(value, f"{above}{key}.")


def comments(text: str) -> Iterator[tuple[str, str]]:
    """The comments at the ends of lines, by the path of the key before them."""
    parents: list[tuple[int, str]] = []
    for line in text.splitlines():
        found = re.match(r"(?P<indent> *)(?P<key>\w+):(?P<value>[^#]*)(# (?P<comment>.*))?$", line)
        if not found:
            continue
        parents = [each for each in parents if each[0] < len(found["indent"])]
        parents.append((len(found["indent"]), found["key"]))
        if found["comment"]:
            yield ".".join(key for _, key in parents), found["comment"]


def defaults_of_groups() -> dict[str, str]:
    """The choice of each group that is made without a word."""
    listed = yaml.safe_load((CONF / "config.yaml").read_text())["defaults"]
    return {
        group: name for each in listed if isinstance(each, dict) for group, name in each.items() if "/" not in group
    }


def settings_page() -> str:
    """The page as Markdown."""
    parts = [INTRODUCTION, experiments()]
    top = read_choice(CONF / "config.yaml")
    parts.append("## Of the whole study\n")
    parts.append(table(rows(StudyConfig, "", [top], top_level=True)))
    for group, kind in groups():
        chosen = defaults_of_groups().get(group)
        files = sorted((CONF / group).glob("*.yaml"), key=lambda file: (file.stem != chosen, file.stem))
        choices = [read_choice(file) for file in files]
        parts += [f"## {group}\n", *choices_text(group, choices, chosen)]
        if not choices:
            choices = [Choice("", below(top.values, group), below(top.comments, group))]
        parts.append(table(rows(kind, group, choices)))
    return "\n".join(parts)


def groups() -> Iterator[tuple[str, type[Settings]]]:
    """The groups of settings, in the order of their class."""
    for name, info in StudyConfig.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, Settings):
            yield name, info.annotation


def below(values: Mapping[str, Any], group: str) -> dict[str, Any]:
    """What lies below a group, by the path from there."""
    return {path.removeprefix(f"{group}."): value for path, value in values.items() if path.startswith(f"{group}.")}


def experiments() -> str:
    """The table of experiments, each with the comment at its head."""
    lines = ["## experiment", "", "| `experiment=` | what |", "|---|---|"]
    for file in sorted((CONF / "experiment").glob("*.yaml")):
        head = re.match(r"# @package _global_\n((?:# .*\n)+)", file.read_text())
        if not head:
            raise SystemExit(f"conf/experiment/{file.name}: no comment under its first line says what it is")
        text = " ".join(line.removeprefix("# ") for line in head[1].splitlines())
        lines.append(f"| {bold(file.stem, defaults_of_groups()['experiment'])} | {text} |")
    return "\n".join([*lines, ""])


def choices_text(group: str, choices: list[Choice], chosen: str | None) -> Iterator[str]:
    """The choices of a group, each with the comment on its first line."""
    if len(choices) < 2:
        return
    yield "\n".join([f"| `{group}=` | what |", "|---|---|"])
    for choice in choices:
        text = choice.comments.get("name") or choice.comments.get("accelerator")
        if not text:
            raise SystemExit(f"conf/{group}/{choice.name}.yaml: no comment on the line of its name says what it is")
        yield f"| {bold(choice.name, chosen)} | {cell(text)} |"
    yield ""


def bold(name: str, chosen: str | None) -> str:
    """A choice, in bold where it is the one that is made without a word."""
    return f"**`{name}`**" if name == chosen else f"`{name}`"


@dataclass(frozen=True)
class Row:
    """One setting as the page shows it."""

    path: str
    default: str
    accepted: str
    meaning: str


def rows(kind: type[Settings], group: str, choices: list[Choice], *, top_level: bool = False) -> Iterator[Row]:
    """The settings of a class, and of the classes within it."""
    yield from _rows(kind, f"{group}." if group else "", "", choices, top_level)


def _rows(kind: type[Settings], group: str, above: str, choices: list[Choice], top_level: bool) -> Iterator[Row]:
    schema = kind.model_json_schema()
    told = attributes(kind)
    for name, info in kind.model_fields.items():
        path = f"{above}{name}"
        if isinstance(info.annotation, type) and issubclass(info.annotation, Settings):
            if not top_level:
                yield from _rows(info.annotation, group, f"{path}.", choices, top_level)
        elif name not in ("name", "accelerator") or group == "run." or names_of(info):
            meaning = (
                OF_A_PLUGIN if name == "name" and names_of(info) else meaning_text(path, choices) or told.get(name, "")
            )
            if not meaning:
                raise SystemExit(f"{group}{path}: neither conf/ nor {kind.__name__} says what it means")
            accepted = accepted_text(info, schema["properties"][name])
            default = default_text(path, info, choices if name != "name" else choices[:1])
            yield Row(f"{group}{path}", default, accepted, meaning)


def meaning_text(path: str, choices: list[Choice]) -> str:
    """The comment on a setting's line; where it is not that of all choices, each with those that have it."""
    texts: dict[str, list[str]] = {}
    for choice in choices:
        if path in choice.values:
            texts.setdefault(choice.comments.get(path, ""), []).append(f"`{choice.name}`")
    if len(texts) == 1:
        return re.sub(r"^\w+( \| \w+)+: ", "", next(iter(texts)))
    return "; ".join(f"{', '.join(names)}: {text}" for text, names in texts.items() if text)


def attributes(kind: type[Settings]) -> dict[str, str]:
    """What the docstring of a class says of its attributes."""
    _, _, section = (kind.__doc__ or "").partition("Attributes:\n")
    found = re.findall(r"^        (\w+): (.*(?:\n {12}.*)*)", section, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}


def default_text(path: str, info: FieldInfo, choices: list[Choice]) -> str:
    """The value of the first choice, and in brackets those of others that differ."""
    own = info.get_default(call_default_factory=True) if not info.is_required() else None
    values = {choice.name: shown(choice.values.get(path, own)) for choice in choices}
    (_, first), *others = values.items()
    differing = [f"{name}: {value}" for name, value in others if value != first]
    return first + (f" ({', '.join(differing)})" if differing else "")


def shown(value: object) -> str:
    """A value as YAML writes it, in one line."""
    if isinstance(value, bool) or value is None:
        return f"`{json.dumps(value)}`"
    if isinstance(value, dict | list):
        text = yaml.safe_dump(value, default_flow_style=True, width=1000, sort_keys=False).strip()
    else:
        text = str(value) if value != "" else "''"
    return f"`{text}`" if len(text) <= SHORT else "see conf/"


def accepted_text(info: FieldInfo, schema: Mapping[str, Any]) -> str:
    """What a setting accepts, in words."""
    if "anyOf" in schema:
        return ", or ".join(dict.fromkeys(accepted_text(info, each) for each in schema["anyOf"]))
    if names := names_of(info):
        return f"{values_text(names)}, or a plugin's"
    if PlainName.__metadata__[0] in info.metadata:  # type: ignore[attr-defined]
        return "letters, digits, `.`, `_` and `-`, at most 100"
    if "enum" in schema or "const" in schema:
        return values_text(schema.get("enum", [schema.get("const")]))
    return TYPES[schema.get("type", "object")] + range_text(schema)


def names_of(info: FieldInfo) -> tuple[str, ...]:
    """The package's own names that a setting accepts beside those of plugins; none for other settings."""
    registry = registry_of(info)
    return tuple(sorted(registry.built_in)) if registry else ()


def values_text(values: Any) -> str:
    """Names that are accepted."""
    return ", ".join(f"`{value}`" for value in values)


def range_text(schema: Mapping[str, Any]) -> str:
    """The range of a number: from its ends in the schema."""
    words = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
    ends = [f"{word} {number(schema[key])}" for key, word in words.items() if key in schema]
    return f" {' and '.join(ends)}" if ends else ""


def number(value: float) -> str:
    """The end of a range."""
    return "2^63" if value == 2**63 else f"{value:,}"


def table(found: Iterator[Row]) -> str:
    """The rows as Markdown."""
    lines = ["| setting | default | accepted | meaning |", "|---|---|---|---|"]
    lines += [f"| `{row.path}` | {cell(row.default)} | {cell(row.accepted)} | {cell(row.meaning)} |" for row in found]
    return "\n".join([*lines, ""])


def cell(text: str) -> str:
    """Text for a cell of a table."""
    return text.replace("|", "\\|")
