"""Whether what is made from the ledger is what the ledger gives: curves, results, report, Optuna's mirror."""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from actsweep.errors import ActsweepError, RecordsError
from actsweep.plural import count
from actsweep.records import OpenedStudy, StudyFolder, curve_table, read_results
from actsweep.report.wording import clean
from actsweep.studies.results import Computed, compute
from actsweep.studies.verifying.contents import Contents
from actsweep.studies.verifying.findings import Check, Finding
from actsweep.study import Study

if TYPE_CHECKING:
    import pyarrow as pa

_LISTED = 3
_WHERE = re.compile(r"(To go on: actsweep resume ).*")  # names the folder as it was called then


def check_derived(folder: StudyFolder, contents: Contents, opened: OpenedStudy) -> Iterator[Check]:
    """The three files that `report` makes, made anew in memory."""
    files = (folder.curves, folder.results, folder.report)
    try:
        computed = compute(folder, opened)
    except ActsweepError as error:
        there = [file.name for file in files if file.name in contents.files]
        findings = [
            Finding(name, f"follows from no record: {clean(error)}", f"rm {folder.path / name}") for name in there
        ]
        yield Check("results", "nothing to compare with", tuple(findings), (clean(error),) * (not there))
        return
    missing = [file.name for file in files if file.name not in contents.files]
    if len(missing) == len(files) and not opened.record.finished:
        note = f"there are none yet; to make them: actsweep report {folder.path}"
        yield Check("results", "the study has not ended", notes=(note,))
        return
    if missing:
        findings = [Finding(name, "is missing", _anew(folder)) for name in missing]
        yield Check("files", f"{count(len(missing), 'file')} missing", tuple(findings))
    if folder.curves.name not in missing:
        yield _curves(folder, computed)
    results: Mapping[str, Any] = computed.results
    if folder.results.name not in missing:
        check, results = _results(folder, opened, computed)
        yield check
    if folder.report.name not in missing:
        yield _report(folder, computed, results)


def check_mirror(folder: StudyFolder, contents: Contents, opened: OpenedStudy) -> Check:
    """optuna.db, which nothing of the study depends on."""
    name = folder.optuna.name
    if name not in contents.files:
        return Check("mirror", f"no {name}", notes=(f"only Optuna's own tools need {name}",))
    from actsweep.search.mirrored import mirror_problem  # loads Ray

    problem = mirror_problem(Study(opened.recorded), folder, opened.record, opened.config.run.name)
    mend = (
        f"nothing of the study depends on it; to make it anew: rm {folder.optuna}, then actsweep resume {folder.path}"
    )
    findings = (Finding(name, clean(problem), mend),) if problem else ()
    return Check("mirror", name, findings)


def _anew(folder: StudyFolder) -> str:
    return f"actsweep report {folder.path}"


def _curves(folder: StudyFolder, computed: Computed) -> Check:
    import pyarrow as pa
    import pyarrow.parquet as pq

    expected = curve_table(computed.study, computed.rows)
    written = pa.BufferOutputStream()
    pq.write_table(expected, written)
    content = folder.curves.read_bytes()
    problems = [] if written.getvalue() == content else list(_wrong_table(content, expected))
    findings = tuple(
        Finding(folder.curves.name, problem, _anew(folder), place) for place, problem in problems[:_LISTED]
    )
    return Check("curves", count(expected.num_rows, "row"), findings)


def _wrong_table(content: bytes, expected: "pa.Table") -> Iterator[tuple[str, str]]:
    """Where a file of curves holds another table, as (place, problem)."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        rows = file.metadata.num_rows
        found = file.read(use_threads=False) if rows == expected.num_rows else None
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        yield "", f"cannot be read: {clean(error, 200)}"
        return
    if found is None:
        yield "", f"has {rows} rows, the ledger gives {expected.num_rows}"
        return
    for name in dict.fromkeys([*expected.column_names, *found.column_names]):
        if not found.column_names.count(name) == expected.column_names.count(name) == 1:
            yield name, "the column is missing, there twice, or not one of this study"
        elif found[name].type != expected[name].type:
            yield name, f"holds {found[name].type}, by the ledger {expected[name].type}"
        else:
            yield from _wrong_cells(name, found[name], expected[name])


def _wrong_cells(name: str, found: "pa.ChunkedArray", expected: "pa.ChunkedArray") -> Iterator[tuple[str, str]]:
    """The first cell that differs; a number that is NaN equals another one, and no null."""
    if found.equals(expected):
        return
    for row, (is_there, should_be) in enumerate(zip(found.to_pylist(), expected.to_pylist(), strict=True), start=1):
        if not _same(is_there, should_be):
            yield f"row {row}, {name}", f"is {is_there!r}, by the ledger {should_be!r}"
            return


def _results(folder: StudyFolder, opened: OpenedStudy, computed: Computed) -> tuple[Check, Mapping[str, Any]]:
    """The check, and the results that the report should show: those of the file where they agree."""
    name = folder.results.name
    try:
        found = read_results(folder)
    except (RecordsError, OSError) as error:
        problem = clean(error).removeprefix(f"{clean(folder.results)} ").partition("; to rebuild it")[0]
        return Check("results", "unreadable", (Finding(name, problem, _anew(folder)),)), computed.results
    expected = json.loads(json.dumps(computed.results))
    problems = list(_wrong_results(opened, found, expected))
    findings = tuple(Finding(name, problem, _anew(folder), place) for place, problem in problems[:_LISTED])
    more = (f"{len(problems) - _LISTED} more differences in {name}",) * (len(problems) > _LISTED)
    said = count(len(computed.rows), "trial")
    return Check("results", said, findings, more), computed.results if problems else found


def _wrong_results(
    opened: OpenedStudy, found: Mapping[str, Any], expected: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """Where results differ; the folder may have had another name, or have been called by another path."""
    names = {expected["study"]["name"], opened.config.run.name, opened.recorded.run.name}
    if isinstance(found["study"], Mapping) and found["study"].get("name") in names:
        expected = {**expected, "study": {**expected["study"], "name": found["study"]["name"]}}
    yield from _differences(found, expected, "")


def _differences(found: Any, expected: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(found, Mapping) and isinstance(expected, Mapping):
        for key in dict.fromkeys([*expected, *found]):
            at = f"{place}.{key}" if place else clean(key)
            if key not in found or key not in expected:
                yield at, "is missing" if key in expected else "is none of the results"
            else:
                yield from _differences(found[key], expected[key], at)
    elif isinstance(found, list) and isinstance(expected, list):
        if len(found) != len(expected):
            yield place, f"holds {len(found)} items, by the ledger {len(expected)}"
        for index, (one, other) in enumerate(zip(found, expected, strict=False)):
            yield from _differences(one, other, f"{place}[{index}]")
    elif type(found) is not type(expected) or not _same(_located(found), _located(expected)):
        yield place, f"is {clean(repr(found), 80)}, by the ledger {clean(repr(expected), 80)}"


def _located(value: Any) -> Any:
    return _WHERE.sub(r"\1", value) if isinstance(value, str) else value


def _report(folder: StudyFolder, computed: Computed, results: Mapping[str, Any]) -> Check:
    from actsweep.report.page import render

    name = folder.report.name
    content = folder.report.read_bytes()
    page = render(dict(results), computed.trials, computed.provenance).encode()
    if content == page:
        return Check("report", count(len(page), "byte"))
    lines = zip_longest(content.splitlines(), page.splitlines())
    line = next((number for number, (one, other) in enumerate(lines, start=1) if one != other), 1)
    problem = "is not the page of these results, or was made by another version"
    return Check("report", count(len(content), "byte"), (Finding(name, problem, _anew(folder), f"line {line}"),))


def _same(one: Any, other: Any) -> bool:
    return bool(one == other or (one != one and other != other))  # noqa: PLR0124 - a NaN is not equal to itself
