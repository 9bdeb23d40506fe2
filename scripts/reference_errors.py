"""The page of errors: every message that the code raises for users, by what it is about and the exit code it leads to.

The source is read, not run: `raise XError(...)` of our own errors, what settings refuse (`raise ValueError(...)` in
settings/, which becomes a RequestError that names the setting), and `parser.error(...)`. What is put in when the error
is raised stands in braces.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from actsweep import errors

SOURCE = Path(__file__).resolve().parent.parent / "src" / "actsweep"
THEMES = {
    "Words on the command line": ("cli", "config", "system.signals"),
    "Settings": ("settings", "plugins.activations", "study"),
    "Plugins": ("plugins", "model", "train"),
    "Data": ("data",),
    "Curves and their analysis": ("tables", "analysis", "compare", "curves"),
    "A study's folder": ("records", "studies", "run.repeat", "run.disk", "run.request", "api", "events"),
    "Reports and pages": ("report", "live"),
    "Running": ("run", "search", "worker", "train.cost", "system"),
    "Clusters and storage": ("cluster", "system.remote"),
    "W&B": ("tracker",),
}
CODES = {"Interrupted": 130, "NoAnswerError": 1, "OutdatedError": 1, "TrialsFailedError": 1, "TrialTimeoutError": 1}
INTRODUCTION = """# Errors

What a command says before it leaves with another exit code than 0: one message, `actsweep: ...`. Words in braces are
put in when it is said. The exit code is 2, the request is wrong, unless another stands before the message; within a
trial of a sweep the message is that of the failed trial, and the sweep goes on. A setting that is not accepted is
named by its path before the message, with what is accepted: see [settings](settings.md). Not listed are messages that
only pass on what another program said. `--debug` shows where an error comes from.
"""


@dataclass(frozen=True, order=True)
class Message:
    """One message: what it is about, its text, and its exit code."""

    theme: str
    text: str
    code: int


def errors_page() -> str:
    """The page as Markdown."""
    found = sorted(set(messages()))
    parts = [INTRODUCTION]
    for theme in THEMES:
        parts.append(f"## {theme}\n")
        parts += [line(message) for message in found if message.theme == theme]
        parts.append("")
    return "\n".join(parts)


def line(message: Message) -> str:
    """A message as an item of a list."""
    code = "" if message.code == 2 else f"({message.code}) "
    fence = "``" if "`" in message.text else "`"
    pad = " " if fence == "``" else ""
    return f"- {code}{fence}{pad}{message.text}{pad}{fence}"


def messages() -> Iterator[Message]:
    """Every message of the source."""
    for file in sorted(SOURCE.rglob("*.py")):
        module = file.relative_to(SOURCE).with_suffix("").parts
        for name, text in raised(ast.parse(file.read_text()), in_settings=module[0] == "settings"):
            yield Message(theme_of(module), text, CODES.get(name, 2))


def theme_of(module: Sequence[str]) -> str:
    """What a module of the package is about for users: the theme of itself, else of its room."""
    for length in range(len(module), 0, -1):
        name = ".".join(module[:length])
        for theme, names in THEMES.items():
            if name in names:
                return theme
    raise SystemExit(f"scripts/reference_errors.py: THEMES: {'.'.join(module)} raises errors and has no theme")


def raised(tree: ast.AST, *, in_settings: bool) -> Iterator[tuple[str, str]]:
    """The errors that a module raises: class and text, for those whose text stands there."""
    ours = {name for name, kind in vars(errors).items() if isinstance(kind, type)} | (
        {"ValueError"} & {"ValueError" if in_settings else ""}
    )
    for node in ast.walk(tree):
        call = node.exc if isinstance(node, ast.Raise) else node
        if not isinstance(call, ast.Call) or not call.args:
            continue
        name = called(call)
        if (isinstance(node, ast.Raise) and name in ours) or (
            name == "error" and ast.unparse(call.func) == "parser.error"
        ):
            text = text_of(call.args[0])
            if text and any(sign.isalpha() for sign in without_braces(text)):
                yield name, " ".join(text.split())


def called(call: ast.Call) -> str:
    """The last word of what is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def text_of(node: ast.expr) -> str:
    """A text as it stands in the source, with what is put in as `{name}`."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return text_of(node.left) + text_of(node.right)
    if isinstance(node, ast.FormattedValue):
        return text_of(node.value)
    if isinstance(node, ast.IfExp) and isinstance(node.body, ast.Constant) and isinstance(node.orelse, ast.Constant):
        return f"{{{node.body.value!s}|{node.orelse.value!s}}}"
    return f"{{{word_of(node)}}}"


def word_of(node: ast.AST) -> str:
    """A word for an expression: the last name in it that is told."""
    if isinstance(node, ast.Name):
        return node.id.strip("_")
    if isinstance(node, ast.Attribute):
        return (
            node.attr.strip("_")
            if node.attr not in ("path", "name")
            else f"{word_of(node.value)}.{node.attr}".removeprefix("self.")
        )
    if isinstance(node, ast.Call):
        if called(node) == "known_are":
            return "known are ..."
        return word_of(node.args[0]) if node.args else word_of(node.func)
    if isinstance(node, ast.Subscript):
        return word_of(node.value)
    inner = next(
        (each for each in ast.walk(node) if isinstance(each, ast.Name | ast.Attribute) and each is not node), None
    )
    return word_of(inner) if inner is not None else "..."


def without_braces(text: str) -> str:
    """The words of a message that always stand in it."""
    return "".join(part.rpartition("}")[2] for part in text.split("{"))
