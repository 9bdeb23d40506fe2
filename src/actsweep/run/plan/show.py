"""A plan on the screen."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from actsweep.compare import ENOUGH_UNITS
from actsweep.compare.wording import UNITS
from actsweep.plural import count
from actsweep.report.wording import clean, duration, number, size
from actsweep.run.plan.estimate import Estimate
from actsweep.run.plan.plan import Plan
from actsweep.study import Study

_LISTED_CELLS = 12
_SETTINGS = {"block": "study.tune.blocks", "seed": "study.replicate.seeds"}


def plan_tables(plan: Plan) -> RenderableType:
    """A plan as lines of a term and what it comes to."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    for term, said in _lines(plan):
        grid.add_row(Text(term), Text(said))
    return Group(Text(f"Plan of {clean(plan.study.config.run.name)}", style="bold"), grid)


def _lines(plan: Plan) -> list[tuple[str, str]]:
    disk = plan.disk
    return [
        ("cells", _cells(plan)),
        ("data", _data(plan)),
        ("trials", _trials(plan)),
        ("verdicts", _verdicts(plan.study)),
        ("stopping", _stopping(plan)),
        *_time(plan),
        (
            "disk",
            f"{size(disk.total)}: weights {size(disk.checkpoints)}, while running {size(disk.running)}, "
            f"data cache {size(disk.cache)}, curves {size(disk.curves)}",
        ),
    ]


def _cells(plan: Plan) -> str:
    labels = [clean(cell.label) for cell in plan.study.cells]
    more = len(labels) - _LISTED_CELLS
    return f"{len(labels)}: {', '.join(labels[:_LISTED_CELLS])}" + (f" and {more} more" if more > 0 else "")


def _data(plan: Plan) -> str:
    train, val, test = plan.images
    fewest, most = plan.steps
    steps = count(most, "step") if fewest == most else f"{fewest} to {most} steps"
    return f"{count(train, 'image')} to train on, {val} to validate, {test} to test; {steps} an epoch"


def _trials(plan: Plan) -> str:
    names = {"tune": "to tune", "replicate": "replicates", "cross": "crossed"}
    parts = [f"{planned} {names[phase]}" for phase, planned in plan.phases.items() if planned]
    more = f"; at most {plan.most_widened} more where ranges widen" if plan.most_widened else ""
    return f"{sum(plan.phases.values())}: {', '.join(parts)}{more}"


def _verdicts(study: Study) -> str:
    has = f"each cell has {count(study.units, UNITS[study.unit])}"
    if study.units >= ENOUGH_UNITS:
        cost = "" if study.config.study.measure_cost else "; what a step costs, only with study.measure_cost=true"
        return f"{has}, and a claim is judged where at least {ENOUGH_UNITS} of them have what it asks for{cost}"
    return f"none: {has}, and claims are judged from {ENOUGH_UNITS} on, as with {_SETTINGS[study.unit]}={ENOUGH_UNITS}"


def _stopping(plan: Plan) -> str:
    scheduler, epochs = plan.study.config.scheduler, plan.study.config.trainer.epochs
    if scheduler.grace is None:
        return f"none: every trial runs its {count(epochs, 'epoch')}"
    return (
        f"asha, within each cell: from epoch {scheduler.grace} on, at every {scheduler.reduction}-fold of it, the best "
        f"1/{scheduler.reduction} of the tune trials go on; a share of {plan.study.config.study.tune.spare:g} is "
        f"never stopped, and replicates run all {count(epochs, 'epoch')}"
    )


def _time(plan: Plan) -> list[tuple[str, str]]:
    if plan.time is None:
        return [("time", f"not known: {plan.no_time}")]
    unit, seconds = ("hours", 3600) if plan.time.device.middle >= 3600 else ("minutes", 60)
    spent = plan.time.device * (1 / seconds)
    together = f"{count(plan.time.concurrent, 'trial')} at a time on this machine"
    return [
        (f"{plan.time.unit}-{unit}", f"about {number(spent.middle)} ({number(spent.low)} to {number(spent.high)})"),
        ("wall time", f"about {_span(plan.time.wall)}, {together}"),
    ]


def _span(seconds: Estimate) -> str:
    return f"{duration(seconds.middle)} ({duration(seconds.low)} to {duration(seconds.high)})"
