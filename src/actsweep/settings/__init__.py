"""Every setting of a study, checked when it is constructed. Importing this module loads neither torch nor Ray.

Defaults are not here but in `conf/`: a setting that no configuration file names is an error. Those that have one here
as well came after the first studies, whose ledgers do not name them.
"""

from actsweep.settings.base import (
    NAME_PATTERN,
    AnySettings,
    PlainName,
    PositiveInt,
    Settings,
    Share,
    fields_at,
    known_are,
    validated,
)
from actsweep.settings.config import StudyConfig
from actsweep.settings.names import OPTIONS
from actsweep.settings.place import ClusterSettings, ResourceSettings, RunSettings, TrackerSettings
from actsweep.settings.secrets import refuse_secrets
from actsweep.settings.study import (
    Drawn,
    ReplicateSettings,
    SchedulerSettings,
    SearchSettings,
    StudySettings,
    TargetSettings,
    TuneSettings,
)
from actsweep.settings.training import DataSettings, ModelSettings, OptimizerSettings, TrainerSettings, TrialConfig
from actsweep.settings.values import known_values, registry_of

__all__ = [
    "NAME_PATTERN",
    "OPTIONS",
    "AnySettings",
    "ClusterSettings",
    "DataSettings",
    "Drawn",
    "ModelSettings",
    "OptimizerSettings",
    "PlainName",
    "PositiveInt",
    "ReplicateSettings",
    "ResourceSettings",
    "RunSettings",
    "SchedulerSettings",
    "SearchSettings",
    "Settings",
    "Share",
    "StudyConfig",
    "StudySettings",
    "TargetSettings",
    "TrackerSettings",
    "TrainerSettings",
    "TrialConfig",
    "TuneSettings",
    "fields_at",
    "known_are",
    "known_values",
    "refuse_secrets",
    "registry_of",
    "validated",
]
