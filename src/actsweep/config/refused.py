"""What Hydra refuses, said in one message with the accepted values."""

import re
from collections.abc import Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep
from hydra.errors import MissingConfigException, OverrideParseException
from omegaconf.errors import OmegaConfBaseException

from actsweep.config.known import choices, config_folder, setting_named
from actsweep.settings import StudyConfig, fields_at, known_are

_NO_NAME = "Config group override must be a string"
_OPEN = ("study.scientific", "study.nuisance", "study.arms", "cluster.resources.custom")  # to names of the user's own


def one_message(error: BaseException, words: Sequence[str]) -> str:
    """What Hydra means, with the accepted values; else its own text and that of its cause."""
    text = str(error)
    if isinstance(error, MissingConfigException) and error.missing_cfg_file and error.options:
        group, _, name = error.missing_cfg_file.rpartition("/")
        return f"{group}={name}: no such choice; {known_are(error.options, name)}"
    if isinstance(error, MissingConfigException):
        return _not_found(text)
    if (isinstance(error, TypeError) or text.startswith(_NO_NAME)) and (word := _unnamed(words)):
        return _no_choice(word, words)
    if path := re.match(r"Could not override '([\w.]+)'", text):
        return _no_setting(path[1], text)
    if ambiguous := re.match(r"Ambiguous value for argument '([^=']+)=(.*)'", text):
        return f"{ambiguous[1]}={ambiguous[2]}: takes one value; a list is written {ambiguous[1]}=[{ambiguous[2]}]"
    if isinstance(error, OverrideParseException):
        return _unread(error.override, text)
    if isinstance(error, OmegaConfBaseException) and error.full_key:
        return f"{error.full_key}: {text.splitlines()[0]}"
    return _own_text(error)


def _not_found(text: str) -> str:
    """Of a file that Hydra does not find; the search path, which it lists below, is left out."""
    said = " ".join(text.partition("\n\n")[0].split()).rstrip(".")
    if said.startswith(("Cannot find primary config", "Primary config")):
        return f"--config-path, --config-name: {said}. For choices of your own beside ours: --config-dir"
    return said


def _unnamed(words: Sequence[str]) -> str:
    """The first word that gives a group something else than a name; empty where none does."""
    parser = OverridesParser.create()
    for word in words:
        if "=" not in word or word.startswith(("-", "~")):
            continue
        override = parser.parse_override(word)
        key = override.key_or_group
        is_setting = "." in key or (key in StudyConfig.model_fields and not choices(key))
        if not is_setting and not _is_name(override.value()):
            return word
    return ""


def _is_name(value: Any) -> bool:
    """Whether a group can be given a value: a name, several, or settings."""
    several = value.list if isinstance(value, ChoiceSweep) else value
    return isinstance(value, str | dict) or (isinstance(several, list) and all(map(_is_name, several)))


def _no_choice(word: str, words: Sequence[str]) -> str:
    group, _, name = word.partition("=")
    known = choices(group.lstrip("+"))
    if any(each.startswith("--config-dir") for each in words):
        known.append(f"those of your --config-dir (for one that is called so: {group}=\"'{name}'\")")
    return f"{word}: takes the name of a choice; known are {', '.join(known)}"


def _no_setting(path: str, text: str) -> str:
    """The first part of a path that names nothing; under a setting that is open to any name, how to add one."""
    if path in _OPEN:
        return f"{path}: to add a setting, write +{path}.PATH=...; to take one out, {path}.PATH=null"
    found = re.search(r"use (\+.*)", text)
    added = found[1] if found else f"+{path}=..."
    if place := next((place for place in _OPEN if path.startswith(f"{place}.")), None):
        return f'{path}: is not in {place} so far; to add it, write "{added}"'
    parts = path.split(".")
    for end, name in enumerate(parts):
        known = fields_at(StudyConfig, parts[:end])
        if known and name not in known:
            return f"{'.'.join(parts[: end + 1])}: no such setting; {known_are(known, name)}"
    return f'{path}: no such setting so far; where names are free, as in the options of a plugin, write "{added}"'


def _unread(word: str, text: str) -> str:
    """Of a word that is no override: what it lacks, where that is a name or a value."""
    if "=" in word:
        reason = text.partition("\n")[0]
        return f"{word}: cannot be read; a text with brackets, commas or braces needs quotes of its own ({reason})"
    if setting := setting_named(word):
        return f"{word}: needs a value: {setting}=VALUE"
    chosen = (f"{file.parent.name}={word}" for file in config_folder().glob("*/*.yaml") if file.stem == word)
    return f"{word}: settings are written NAME=VALUE, such as {next(chosen, 'experiment=quickstart')}"


def _own_text(error: BaseException) -> str:
    texts: list[str] = []
    current: BaseException | None = error
    while current is not None and len(texts) < 2:
        text = str(current).strip()
        if text and text not in "\n".join(texts):
            texts.append(text)
        current = current.__cause__
    return "\n".join(texts)
