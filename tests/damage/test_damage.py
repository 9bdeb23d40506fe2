"""Whatever is cut off or flipped in a study's folder: it is found or harmless, and never other results in silence."""

import random
from collections.abc import Iterator

import pytest

from damage.patient import Patient

SEED = 6
RECORDS = 3


def flips(patient: Patient, number: int) -> Iterator[tuple[str, int, int]]:
    """Files, bytes and bits; half of the files are drawn alike, half by their size."""
    names = [name for name, content in patient.whole.items() if content]
    sizes = [len(patient.whole[name]) for name in names]
    rng = random.Random(SEED)
    for index in range(number):
        (name,) = rng.choices(names, sizes if index % 2 else None)
        yield name, rng.randrange(len(patient.whole[name])), rng.randrange(8)


def flipped(content: bytes, byte: int, bit: int) -> bytes:
    return content[:byte] + bytes([content[byte] ^ (1 << bit)]) + content[byte + 1 :]


def last_records(patient: Patient) -> tuple[bytes, list[int]]:
    """The ledger, and where each of its last records begins."""
    ledger = patient.whole["ledger.jsonl"]
    lines = ledger.splitlines(keepends=True)
    return ledger, [sum(map(len, lines[:-back])) for back in range(RECORDS, 0, -1)]


def check_flips(patient: Patient, number: int) -> None:
    for name, byte, bit in flips(patient, number):
        patient.examine(name, flipped(patient.whole[name], byte, bit))


def check_cuts(patient: Patient, lengths: Iterator[int]) -> None:
    ledger, beginnings = last_records(patient)
    for length in lengths:
        found = patient.examine_cut(ledger[:length])
        whole = max(begin for begin in (*beginnings, 0) if begin <= length)
        assert found.state == "interrupted", "a torn last line is no damage"
        torn = [note for check in found.checks for note in check.notes if f"last {length - whole} bytes" in note]
        assert bool(torn) == (length != whole)


def test_bits_flipped_in_a_few_places(patient: Patient) -> None:
    check_flips(patient, 20)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_bits_flipped_in_five_hundred_places(patient: Patient) -> None:
    check_flips(patient, 500)


def test_a_ledger_cut_off_at_the_ends_and_in_the_midst_of_its_last_records(patient: Patient) -> None:
    ledger, beginnings = last_records(patient)
    ends = [*beginnings[1:], len(ledger)]
    check_cuts(
        patient,
        (
            length
            for begin, end in zip(beginnings, ends, strict=True)
            for length in (begin, (begin + end) // 2, end - 1)
        ),
    )


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_ledger_cut_off_at_every_byte_of_its_last_records(patient: Patient) -> None:
    ledger, beginnings = last_records(patient)
    check_cuts(patient, iter(range(beginnings[0], len(ledger))))
