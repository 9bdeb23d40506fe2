"""Small mistakes, one at a time, in the source of a module: a test suite that misses one does not check what it runs.

Mutated are comparisons (the boundary and the direction), arithmetic, `and` and `or`, negations, numbers, truth values,
words that are compared, results (None instead), calls that do something, and pairs of functions that are easily
confused (min and max, any and all). Left as they are: docstrings, type hints, decorators, wording, and
`zip(strict=...)`, `check=` and `frozen=`, which only guard what holds anyway.
"""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
OPPOSITES = {"min": "max", "any": "all", "minimum": "maximum", "argmin": "argmax", "floor": "ceil", "fmin": "fmax"}
OPPOSITES |= {opposite: name for name, opposite in OPPOSITES.items()}
GUARDS = {"strict", "check", "frozen"}
LONGEST = 90  # characters of code in a name
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Mutant:
    """One mistake: in which function it is, what stood there, what stands there now; `nth` tells equal ones apart."""

    module: str
    function: str
    before: str
    after: str
    nth: int
    path: Path
    replacement: ast.AST

    @property
    def name(self) -> str:
        """What it is called in reports and in the list of equivalent ones."""
        return f"{self.module}:{self.function}: {self.before} -> {self.after} ({self.nth})"

    def tree(self, source: str) -> ast.Module:
        """The syntax tree of the module with the mistake in it."""
        tree = ast.parse(source)
        node: object = tree
        for step in self.path[:-1]:
            node = node[step] if isinstance(step, int) else getattr(node, step)  # type: ignore[index]
        last = self.path[-1]
        if isinstance(last, int):
            node[last] = self.replacement  # type: ignore[index]
        else:
            setattr(node, last, self.replacement)
        return ast.fix_missing_locations(tree)


def mutants_of(module: str, source: str) -> list[Mutant]:
    """All mutants of a module, in the order of its source."""
    found: list[Mutant] = []
    times: dict[tuple[str, str, str], int] = {}
    for path, function, line, node, replacement in _changes(ast.parse(source), (), "module", ""):
        before, after = _told(line, node), _told("", replacement)
        key = function, before, after
        times[key] = times.get(key, 0) + 1
        found.append(Mutant(module, function, before, after, times[key], path, replacement))
    return found


Change = tuple[Path, str, str, ast.AST, ast.AST]


def _told(line: str, node: ast.AST) -> str:
    """What stands there, in one line that is short enough to read."""
    first = "pass" if isinstance(node, ast.Pass) else ast.unparse(ast.fix_missing_locations(node)).splitlines()[0]
    return " | ".join(filter(None, (line, _short(first) if _short(first) != line else "")))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."


def _changes(node: ast.AST, path: Path, function: str, line: str) -> Iterator[Change]:
    """Every change of a node and of what is below it: where it is, in which function and statement, and what it is."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        function = node.name if function == "module" else f"{function}.{node.name}"
    if isinstance(node, ast.stmt) and not isinstance(node, ast.FunctionDef | ast.ClassDef):
        line = _short(ast.unparse(node).splitlines()[0])
    for replacement in _replacements(node):
        yield path, function, line, node, replacement
    for name, value in ast.iter_fields(node):
        if _is_left_alone(node, name):
            continue
        children = enumerate(value) if isinstance(value, list) else [(None, value)]
        for index, child in children:
            if isinstance(child, ast.AST) and not _is_docstring(node, child):
                step: Path = (name,) if index is None else (name, index)
                yield from _changes(child, (*path, *step), function, line)


def _is_left_alone(node: ast.AST, name: str) -> bool:
    if name in ("annotation", "returns", "decorator_list", "bases", "type_params"):
        return True
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id in ("__all__", "Row", "CellRow", "StratumValue")  # names and types
    return isinstance(node, ast.keyword) and node.arg in GUARDS


def _is_docstring(parent: ast.AST, child: ast.AST) -> bool:
    return isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)


def _replacements(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.stmt):
        yield from _of_statements(node)
    if isinstance(node, ast.If | ast.IfExp | ast.While) and not isinstance(node.test, ast.Compare):
        yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))
    match node:
        case ast.Compare():
            yield from _comparisons(node)
        case ast.BinOp(op=op) if type(op) in ARITHMETIC and not _is_text(node):
            yield _with(node, op=ARITHMETIC[type(op)]())
        case ast.BoolOp(op=op):
            yield _with(node, op=ast.Or() if isinstance(op, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert(), operand=operand):
            yield operand
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() | float() as value):
            yield ast.Constant(value + 1)
        case ast.Name(id=name) if name in OPPOSITES:
            yield ast.Name(OPPOSITES[name], ast.Load())
        case ast.Attribute(attr=name) if name in OPPOSITES:
            yield _with(node, attr=OPPOSITES[name])


def _of_statements(node: ast.stmt) -> Iterator[ast.AST]:
    match node:
        case ast.AugAssign(op=op) if type(op) in ARITHMETIC:
            yield _with(node, op=ARITHMETIC[type(op)]())
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield ast.Return(ast.Constant(None))
        case ast.Expr(value=ast.Call()) | ast.Raise():
            yield ast.Pass()
        case ast.Continue():
            yield ast.Break()


def _comparisons(node: ast.Compare) -> Iterator[ast.AST]:
    for index, op in enumerate(node.ops):
        for other in COMPARISONS[type(op)]:
            yield _with(node, ops=[*node.ops[:index], other(), *node.ops[index + 1 :]])
    words = [right for right in node.comparators if isinstance(right, ast.Constant) and isinstance(right.value, str)]
    if words and not any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
        yield _with(node, comparators=[ast.Constant("no such word")])
    for right in node.comparators:
        if isinstance(right, ast.Tuple):
            for index in range(len(right.elts)):
                fewer = ast.Tuple([*right.elts[:index], *right.elts[index + 1 :]], ast.Load())
                yield _with(node, comparators=[fewer])


def _is_text(node: ast.BinOp) -> bool:
    return any(
        isinstance(side, ast.JoinedStr) or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        for side in (node.left, node.right)
    )


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _with(node: ast.AST, **changes: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in changes.items():
        setattr(changed, name, value)
    return changed
