"""The data of a study."""

from actsweep.data import Source, prepare
from actsweep.study import Study


def prepared(study: Study) -> Source:
    """The study's data, on this machine, after every way in which its trials split them was tried.

    Raises:
        RequestError: they are not accepted, or cannot be split so.
    """
    for settings in study.data_settings:
        prepare(settings)
    return prepare(study.config.data)
