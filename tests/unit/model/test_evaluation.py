import math

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

from actsweep.model import evaluate


def batches(images, labels, size):
    return list(zip(images.split(size), labels.split(size), strict=True))


@pytest.fixture
def data():
    return torch.randn(50, 1, 8, 8), torch.randint(0, 10, (50,))


def test_loss_and_accuracy_are_means_over_images_in_eval_mode(classifier, data):
    module = classifier(norm="batch", dropout=0.5)
    images, labels = data
    result = evaluate(module, batches(images, labels, 16))
    with torch.no_grad():
        logits = module.eval()(images).double().numpy()
    expected = -log_softmax(logits, axis=1)[np.arange(50), labels.numpy()].mean()
    assert result.loss == pytest.approx(expected, rel=1e-6)
    assert result.accuracy == np.mean(logits.argmax(axis=1) == labels.numpy())


def test_the_split_into_batches_does_not_show(classifier, data):
    module = classifier()
    whole, pieces = (evaluate(module, batches(*data, size)) for size in (50, 7))
    assert pieces.accuracy == whole.accuracy
    assert pieces.loss == pytest.approx(whole.loss, rel=1e-6)


def test_small_losses_are_not_rounded_away(classifier):
    module = classifier(classes=2)
    module.network.linear.weight.data.zero_()
    module.network.linear.bias.data = torch.tensor([0.0, 20.0])
    result = evaluate(module, [(torch.randn(3, 1, 8, 8), torch.ones(3, dtype=torch.int64))])
    assert result.loss == pytest.approx(math.log1p(math.exp(-20)), rel=1e-6, abs=0)


def test_each_part_gets_its_own_mode_back_even_after_an_error(classifier, data):
    module = classifier(norm="batch")
    module.network.norm1.eval()
    before = {name: part.training for name, part in module.named_modules()}
    evaluate(module, [data])
    assert {name: part.training for name, part in module.named_modules()} == before
    with pytest.raises(RuntimeError):
        evaluate(module, [(torch.randn(2, 1, 3, 3), data[1][:2])])
    assert {name: part.training for name, part in module.named_modules()} == before


def test_running_statistics_stay_as_they_are(classifier, data):
    module = classifier(norm="batch")
    before = {name: value.clone() for name, value in module.named_buffers()}
    evaluate(module, [data])
    assert all(torch.equal(value, before[name]) for name, value in module.named_buffers())


def test_a_network_that_diverged_has_a_loss_that_is_not_finite(classifier, data):
    module = classifier()
    module.network.conv1.weight.data.fill_(math.nan)
    assert math.isnan(evaluate(module, [data]).loss)


def test_no_images_is_an_error(classifier):
    with pytest.raises(ValueError, match="no images"):
        evaluate(classifier(), [])
