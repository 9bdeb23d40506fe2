from actsweep.plural import count


def test_one_is_singular_and_all_else_plural() -> None:
    assert [count(n, "epoch") for n in (0, 1, 2, 1.0, 2.5)] == [
        "0 epochs",
        "1 epoch",
        "2 epochs",
        "1 epoch",
        "2.5 epochs",
    ]


def test_a_count_is_written_in_full_however_large() -> None:
    assert count(12_345_678, "trial") == "12345678 trials"


def test_a_plural_that_is_not_made_by_an_s_is_given() -> None:
    assert [count(n, "class", "classes") for n in (1, 10)] == ["1 class", "10 classes"]
