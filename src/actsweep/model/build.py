"""The module that a trial trains."""

from actsweep.model.network import Classifier
from actsweep.settings import TrialConfig


def build_module(config: TrialConfig, image_shape: tuple[int, int, int], classes: int) -> Classifier:
    """A trial's module with its initial weights, drawn from torch's global generator.

    Args:
        config: the trial.
        image_shape: channels, height and width of the images.
        classes: number of classes.

    Raises:
        DataError: images of this shape, or that few classes, cannot be classified.
        RequestError: a plugin's model is no network from images to logits.
    """
    return Classifier(config.model, config.optimizer, image_shape, classes)
