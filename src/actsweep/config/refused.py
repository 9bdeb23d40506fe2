"""What Hydra refuses, said in one message with the accepted values."""

import re

from hydra.errors import MissingConfigException, OverrideParseException
from omegaconf.errors import OmegaConfBaseException

from actsweep.config.known import config_folder, setting_named
from actsweep.settings import StudyConfig, fields_at, known_are

_OPEN = ("study.scientific", "study.nuisance", "study.arms", "cluster.resources.custom")  # to names of the user's own


def one_message(error: BaseException) -> str:
    """What Hydra means, with the accepted values; else its own text and that of its cause."""
    text = str(error)
    if isinstance(error, MissingConfigException) and error.missing_cfg_file and error.options:
        group, _, name = error.missing_cfg_file.rpartition("/")
        return f"{group}={name}: no such choice; {known_are(error.options, name)}"
    if isinstance(error, MissingConfigException) and not error.options:
        return f"--config-path, --config-name: {text.splitlines()[0]} For choices of your own beside ours: --config-dir"
    if path := re.match(r"Could not override '([\w.]+)'", text):
        return _no_setting(path[1], text)
    if ambiguous := re.match(r"Ambiguous value for argument '([^=']+)=(.*)'", text):
        return f"{ambiguous[1]}={ambiguous[2]}: takes one value; a list is written {ambiguous[1]}=[{ambiguous[2]}]"
    if isinstance(error, OverrideParseException):
        return _unread(error.override, text)
    if isinstance(error, OmegaConfBaseException) and error.full_key:
        return f"{error.full_key}: {text.splitlines()[0]}"
    return _own_text(error)


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
