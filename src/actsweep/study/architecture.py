"""The layers of the network `cnn` as plain values, known without importing torch; `actsweep.model` builds them."""

from actsweep.settings import ModelSettings

STAGES = 3
SMALLEST_IMAGE = 1 << STAGES
_FLOAT, _INT64 = 4, 8

ImageShape = tuple[int, int, int]
"""Channels, height and width."""


def stages(settings: ModelSettings, channels: int) -> list[list[tuple[int, int]]]:
    """The channels into and out of each convolution, by stage.

    Convolutions are spread over the stages as evenly as possible, earlier ones first; a stage may have none.

    Args:
        settings: the model's.
        channels: of an image.
    """
    found: list[list[tuple[int, int]]] = []
    share, rest = divmod(settings.depth, STAGES)
    for stage in range(STAGES):
        outputs = settings.width << stage
        found.append([])
        for _ in range(share + (stage < rest)):
            found[-1].append((channels, outputs))
            channels = outputs
    return found


def features(settings: ModelSettings, image_shape: ImageShape) -> int:
    """How many numbers the last stage leaves of an image: inputs of the linear layer."""
    channels, height, width = image_shape
    last = max(outputs for stage in stages(settings, channels) for _, outputs in stage)
    return last * (height // SMALLEST_IMAGE) * (width // SMALLEST_IMAGE)


def weights_bytes(settings: ModelSettings, image_shape: ImageShape, classes: int) -> int:
    """Bytes of all weights and buffers, without those that a plugin's activation may have."""
    convolutions = [pair for stage in stages(settings, image_shape[0]) for pair in stage]
    numbers = sum(9 * inputs * outputs + outputs for inputs, outputs in convolutions)
    numbers += (features(settings, image_shape) + 1) * classes
    channels = sum(outputs for _, outputs in convolutions)
    numbers += {"none": 0, "group": 2, "batch": 4}[settings.norm] * channels  # a batch norm also keeps two moments
    steps = len(convolutions) if settings.norm == "batch" else 0
    return _FLOAT * numbers + _INT64 * steps
