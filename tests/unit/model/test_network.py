import copy

import pytest
import pytorch_lightning as pl
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from actsweep.errors import DataError
from actsweep.model import Classifier, evaluate
from actsweep.plugins.activations import ACTIVATIONS
from actsweep.study.architecture import weights_bytes

pytestmark = pytest.mark.filterwarnings("ignore::pytorch_lightning.utilities.warnings.PossibleUserWarning")


def halves(n):
    """Images with a bright left (class 0) or right (class 1) half."""
    labels = torch.arange(n) % 2
    images = 0.3 * torch.randn(n, 1, 8, 8)
    images[labels == 0, :, :, :4] += 1
    images[labels == 1, :, :, 4:] += 1
    return TensorDataset(images, labels)


def trainer(folder, epochs=1):
    return pl.Trainer(
        default_root_dir=folder,
        accelerator="cpu",
        max_epochs=epochs,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def names(module):
    return [name for name, _ in module.network.named_children()]


@pytest.mark.parametrize("depth", range(1, 10))
@pytest.mark.parametrize("image_shape", [(1, 8, 8), (3, 32, 32), (1, 11, 17)])
def test_logits_have_one_column_per_class(classifier, image_shape, depth):
    module = classifier(image_shape=image_shape, classes=7, depth=depth, width=2)
    assert module(torch.randn(3, *image_shape)).shape == (3, 7)
    assert len(module.activations) == depth


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("norm", ["none", "batch", "group"])
def test_a_step_changes_every_weight(classifier, activation, norm):
    module = classifier(activation=activation, norm=norm, image_shape=(3, 8, 8))
    before = copy.deepcopy(module.state_dict())
    batch = torch.randn(64, 3, 8, 8), torch.arange(64) % 10
    module.loss(batch).backward()
    module.configure_optimizers().step()
    changed = {name: not torch.equal(value, before[name]) for name, value in module.state_dict().items()}
    assert all(changed[name] for name in changed if name.endswith("weight"))


@pytest.mark.parametrize(
    ("depth", "widths"),
    [
        (1, [2]),
        (2, [2, 4]),
        (3, [2, 4, 8]),
        (4, [2, 2, 4, 8]),
        (5, [2, 2, 4, 4, 8]),
        (6, [2, 2, 4, 4, 8, 8]),
    ],
)
def test_convolutions_are_spread_over_the_stages_earlier_first(classifier, depth, widths):
    module = classifier(depth=depth, width=2)
    convolutions = [layer for layer in module.modules() if isinstance(layer, nn.Conv2d)]
    assert [layer.out_channels for layer in convolutions] == widths
    assert sum(isinstance(layer, nn.MaxPool2d) for layer in module.modules()) == 3


def test_order_of_layers(classifier):
    assert names(classifier(depth=2, norm="batch")) == [
        *("conv1", "norm1", "activation1", "pool1"),
        *("conv2", "norm2", "activation2", "pool2"),
        *("pool3", "flatten", "dropout", "linear"),
    ]


def test_number_of_parameters(classifier):
    module = classifier(image_shape=(3, 16, 16), depth=4, width=8, classes=10, norm="group")
    convolutions = (3 * 9 * 8 + 8) + (8 * 9 * 8 + 8) + (8 * 9 * 16 + 16) + (16 * 9 * 32 + 32)
    norms = 2 * (8 + 8 + 16 + 32)
    linear = 32 * 2 * 2 * 10 + 10
    assert sum(parameter.numel() for parameter in module.parameters()) == convolutions + norms + linear


@pytest.mark.parametrize("norm", ["none", "batch", "group"])
@pytest.mark.parametrize(("depth", "width", "shape"), [(1, 2, (1, 8, 8)), (4, 8, (3, 16, 24)), (6, 5, (3, 32, 32))])
def test_the_size_of_the_weights_is_known_without_building_them(classifier, depth, width, shape, norm):
    module = classifier(image_shape=shape, depth=depth, width=width, classes=7, norm=norm)
    built = sum(value.numel() * value.element_size() for value in module.state_dict().values())
    assert weights_bytes(module.architecture, shape, 7) == built


@pytest.mark.parametrize(
    ("width", "groups"), [(1, [1, 1, 1]), (10, [2, 5, 10]), (13, [1, 2, 13]), (32, [8, 16, 32]), (64, [16, 32, 32])]
)
def test_groups_divide_the_channels_and_have_four_of_them_where_they_can(classifier, width, groups):
    module = classifier(width=width, norm="group")
    assert [layer.num_groups for layer in module.modules() if isinstance(layer, nn.GroupNorm)] == groups


def test_dropout_acts_in_training_only(classifier):
    module = classifier(dropout=0.5)
    x = torch.randn(4, 1, 8, 8)
    assert not torch.equal(module(x), module(x))
    module.eval()
    assert torch.equal(module(x), module(x))


@pytest.mark.parametrize(
    ("image_shape", "classes", "message"),
    [
        ((2, 8, 8), 10, "2 channels"),
        ((1, 7, 8), 10, "at least 8 x 8"),
        ((1, 8, 7), 10, "at least 8 x 8"),
        ((1, 8, 8), 1, "1 classes"),
    ],
)
def test_data_that_cannot_be_classified_is_refused(classifier, image_shape, classes, message):
    with pytest.raises(DataError, match=message):
        classifier(image_shape=image_shape, classes=classes)


def test_loss_is_the_mean_cross_entropy(classifier):
    module = classifier()
    images, labels = torch.randn(5, 1, 8, 8), torch.tensor([0, 3, 9, 9, 1])
    expected = -torch.log_softmax(module(images), dim=1)[torch.arange(5), labels].mean()
    torch.testing.assert_close(module.loss((images, labels)), expected)


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("adam", torch.optim.Adam, {"betas": (0.8, 0.999)}),
        ("adamw", torch.optim.AdamW, {"betas": (0.8, 0.999)}),
        ("sgd", torch.optim.SGD, {"momentum": 0.8, "nesterov": False, "dampening": 0}),
        ("sgd nesterov", torch.optim.SGD, {"momentum": 0.8, "nesterov": True, "dampening": 0}),
    ],
)
def test_optimizer_is_the_one_asked_for(classifier, name, kind, expected):
    name, _, nesterov = name.partition(" ")
    settings = {"name": name, "lr": 0.03, "weight_decay": 0.2, "momentum": 0.8, "nesterov": bool(nesterov)}
    module = classifier(optimizer=settings)
    optimizer = module.configure_optimizers()
    assert type(optimizer) is kind
    (group,) = optimizer.param_groups
    assert group.items() >= {"lr": 0.03, "weight_decay": 0.2, **expected}.items()
    assert len(group["params"]) == len(list(module.parameters()))


@pytest.mark.parametrize("norm", ["none", "batch", "group"])
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_a_training_step_never_waits_for_the_device(classifier, norm, optimizer):
    # Meta tensors hold no data: whatever would bring a value to the host raises.
    settings = {"name": optimizer, "clip": 1.0, "label_smoothing": 0.1, "schedule": "one_cycle"}
    module = classifier(norm=norm, dropout=0.5, optimizer=settings).to("meta")
    batch = torch.empty(4, 1, 8, 8, device="meta"), torch.empty(4, dtype=torch.int64, device="meta")
    loss = module.loss(batch)
    loss.backward()
    stepped, schedule = module.optimizer_and_schedule(10, 5)
    module.configure_gradient_clipping(stepped)
    stepped.step()
    schedule.step()
    with pytest.raises((RuntimeError, NotImplementedError)):
        loss.item()


def test_a_stock_trainer_learns_and_does_what_a_plain_loop_does(classifier, tmp_path):
    module = classifier(classes=2, norm="batch", optimizer={"lr": 0.003})
    plain = copy.deepcopy(module)
    data = halves(128)
    before = evaluate(module, [data.tensors])

    trainer(tmp_path, epochs=3).fit(module, DataLoader(data, batch_size=32))

    optimizer = plain.configure_optimizers()
    for step in range(3 * 4):
        start = 32 * (step % 4)
        batch = data[start : start + 32]
        optimizer.zero_grad()
        functional.cross_entropy(plain(batch[0]), batch[1]).backward()
        optimizer.step()
    after = evaluate(module, [data.tensors])
    assert after.loss < 0.5 * before.loss
    assert after.accuracy > 0.9
    assert all(torch.equal(a, b) for a, b in zip(module.parameters(), plain.parameters(), strict=True))


def test_a_stock_trainer_validates(classifier, tmp_path):
    module = classifier(classes=2, norm="batch")
    data = halves(50)
    (logged,) = trainer(tmp_path).validate(module, DataLoader(data, batch_size=16), verbose=False)
    expected = evaluate(module, [data.tensors])
    assert logged == pytest.approx({"val_loss": expected.loss, "val_acc": expected.accuracy}, rel=1e-5)


def test_a_checkpoint_loads_without_unpickling_classes(classifier, tmp_path):
    module = classifier(classes=3, norm="batch", optimizer={"name": "adamw", "lr": 0.02})
    path = tmp_path / "a.ckpt"
    fitted = trainer(tmp_path)
    fitted.fit(module, DataLoader(TensorDataset(torch.randn(8, 1, 8, 8), torch.arange(8) % 3), batch_size=4))
    fitted.save_checkpoint(path)

    again = Classifier.load_from_checkpoint(path, weights_only=True)
    x = torch.randn(4, 1, 8, 8)
    assert torch.equal(again.eval()(x), module.eval()(x))
    assert isinstance(again.configure_optimizers(), torch.optim.AdamW)
