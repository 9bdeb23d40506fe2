from collections.abc import Callable

import pytest

from actsweep.data import Data, load, prepare
from actsweep.settings import StudyConfig, TrialConfig

WORDS = ("data.train=256", "data.val=128", "data.test=128", "model.width=4", "trainer.epochs=3", "optimizer.lr=0.01")


@pytest.fixture
def trial(compose: Callable[..., StudyConfig]) -> Callable[..., tuple[TrialConfig, Data]]:
    def build(*words: str) -> tuple[TrialConfig, Data]:
        config = compose(*WORDS, *words)
        return config.trial({}, config.seed), load(prepare(config.data), config.data)

    return build
