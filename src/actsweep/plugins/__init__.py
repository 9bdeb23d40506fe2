"""What a configuration may name: activations, models, data sets, optimizers and measures, ours and those from outside.

Loads neither torch nor Ray.

registry.py   what is registered, under which name, by whom
activations.py    the activations, with what is known of each function
loading.py    the import of the modules that a configuration lists, and of installed packages that declare themselves
"""

from actsweep.plugins.loading import (
    load_plugins,
    plugin_environment,
    plugins_are_left_out,
    plugins_left_out,
    reason,
    refuse_plugins_in,
    refuse_working_folder,
)
from actsweep.plugins.registry import (
    DATA_SETS,
    MEASURES,
    MODELS,
    OPTIMIZERS,
    Registry,
    caller,
    register_data,
    register_measure,
    register_model,
    register_optimizer,
)

__all__ = [
    "DATA_SETS",
    "MEASURES",
    "MODELS",
    "OPTIMIZERS",
    "Registry",
    "caller",
    "load_plugins",
    "plugin_environment",
    "plugins_are_left_out",
    "plugins_left_out",
    "reason",
    "refuse_plugins_in",
    "refuse_working_folder",
    "register_data",
    "register_measure",
    "register_model",
    "register_optimizer",
]
