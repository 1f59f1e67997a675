"""Old and new processes run side by side during an upgrade, so a migration expands; a later release contracts.

This lint reads a migration and reports what would break or block processes of the release before.

A migration that contracts on purpose says so: `CONTRACTS = "why; unused since release 1.4"`.
"""

import ast
import re
from collections.abc import Iterator

WITH_NOT_VALID = {"create_foreign_key", "create_check_constraint"}
NEVER_NOT_VALID = {"create_unique_constraint", "create_primary_key", "create_exclude_constraint"}

DROPS = "drops what the release before still uses"
RENAMES = "renames what the release before still uses; add the new one, fill it, drop the old one a release later"
TYPE = "changes a type, which rewrites the table; add a column"
NOT_NULL = (
    "makes a column NOT NULL that the release before may leave out; give it a server_default, or CHECK … NOT VALID"
)
INDEX = "locks out writers while the index is built; use postgresql_concurrently=True in an autocommit_block"
CONSTRAINT = "checks all rows under a lock; use postgresql_not_valid=True and VALIDATE in a later migration"
KEY = "builds its index under a lock; create a unique index with postgresql_concurrently=True"
COMMITS = "commits what comes before it, which would be done again after a failure; put the autocommit_block first"
BATCH = "hides its table from this lint; call the operations of op"
UNDECLARED = "CONTRACTS must be a text that says why, and the release (as 1.4) since which nothing uses it"

SQL = [
    (r"\bDROP (TABLE|VIEW|TYPE|SCHEMA|COLUMN)\b|\bALTER TABLE\b.*\bDROP (?!CONSTRAINT|NOT NULL|DEFAULT)", DROPS),
    (r"\bALTER\b.*\bRENAME\b", RENAMES),
    (r"\bALTER (COLUMN )?\S+ (SET DATA )?TYPE\b", TYPE),
    (r"\bADD COLUMN\b(?!.*\b(DEFAULT|GENERATED)\b).*\b(NOT NULL|PRIMARY KEY)\b|\bSET NOT NULL\b", NOT_NULL),
    (r"\bCREATE (UNIQUE )?INDEX (?!CONCURRENTLY)", INDEX),
    (r"\bADD (CONSTRAINT|CHECK|FOREIGN KEY)\b(?!.*\b(NOT VALID|USING INDEX|UNIQUE|PRIMARY KEY|EXCLUDE)\b)", CONSTRAINT),
    (r"\bADD (CONSTRAINT \S+ )?(UNIQUE|PRIMARY KEY|EXCLUDE)\b(?!.*\bUSING INDEX\b)", KEY),
]
"""Patterns that are refused in SQL (in upper case, with single spaces), and why."""


def problems(source: str, name: str = "migration.py") -> list[str]:
    """The problems, each as `name:line: what it does and what to do instead`. Raises SyntaxError."""
    tree = ast.parse(source)
    contracts = [
        statement.value
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == "CONTRACTS" for target in statement.targets)
    ]
    if contracts:
        text = contracts[0].value if isinstance(contracts[0], ast.Constant) else None
        declared = isinstance(text, str) and len(text.split()) > 2 and re.search(r"\b\d+\.\d+", text)
        return [] if declared else [f"{name}:{contracts[0].lineno}: {UNDECLARED}"]
    tree.body = [node for node in tree.body if not (isinstance(node, ast.FunctionDef) and node.name == "downgrade")]
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    new = {_text(call, 0, "table_name") for call in calls if _name(call) == "create_table"} - {None}
    found = [(call.lineno, problem) for call in calls for problem in _of_call(call, new)]
    found += [(text.lineno, problem) for text in _texts(tree) for problem in _of_sql(str(text.value))]
    found += [(line, COMMITS) for body in _upgrades(tree) for line in _commits(body)]
    return [f"{name}:{line}: {problem}" for line, problem in sorted(set(found))]


def _upgrades(tree: ast.Module) -> list[list[ast.stmt]]:
    return [node.body for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "upgrade"]


def _commits(body: list[ast.stmt]) -> Iterator[int]:
    """Lines of autocommit blocks after statements that can't be done twice."""
    repeatable = True
    for statement in body:
        if isinstance(statement, ast.With) and "autocommit_block" in ast.unparse(statement.items[0]):
            if not repeatable:
                yield statement.lineno
        elif not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Constant):
            repeatable &= "VALIDATE CONSTRAINT" in ast.unparse(statement)


def _of_call(call: ast.Call, new: set[str | None]) -> Iterator[str]:
    """The problems of one operation. Most operations are harmless on a `new` table, which this migration creates."""
    operation = _name(call)
    if operation in ("drop_table", "drop_column"):
        yield DROPS
    elif operation == "rename_table" or (operation == "alter_column" and _given(call, "new_column_name")):
        yield RENAMES
    elif operation == "batch_alter_table":
        yield BATCH
    elif operation == "add_column" and _text(call, 0, "table_name") not in new:
        for column in (node for node in ast.walk(call) if isinstance(node, ast.Call) and _name(node) == "Column"):
            yield from _of_new_column(column)
    elif operation == "alter_column" and _text(call, 0, "table_name") not in new:
        if _given(call, "type_"):
            yield TYPE
        if _is(call, "nullable", False):
            yield NOT_NULL
    elif operation == "create_index" and _text(call, 1, "table_name") not in new:
        if not _is(call, "postgresql_concurrently", True):
            yield INDEX
    elif operation in WITH_NOT_VALID and _text(call, 1, "source_table", "table_name") not in new:
        if not _is(call, "postgresql_not_valid", True):
            yield CONSTRAINT
    elif operation in NEVER_NOT_VALID and _text(call, 1, "table_name") not in new:
        yield KEY


def _of_new_column(column: ast.Call) -> Iterator[str]:
    parts = {_name(part) for part in column.args if isinstance(part, ast.Call)}
    required = _is(column, "nullable", False) or _is(column, "primary_key", True)
    if required and not (_given(column, "server_default") or parts & {"Identity", "Computed"}):
        yield NOT_NULL
    if parts & {"ForeignKey", "CheckConstraint"}:
        yield CONSTRAINT
    if _is(column, "unique", True):
        yield KEY
    if _is(column, "index", True):
        yield INDEX


def _of_sql(text: str) -> Iterator[str]:
    for statement in text.split(";"):
        plain = " ".join(statement.upper().split())
        yield from (problem for pattern, problem in SQL if re.search(pattern, plain))


def _texts(tree: ast.AST) -> Iterator[ast.Constant]:
    """Every string but docstrings: any of them may be SQL that is passed to `execute`."""
    documentation = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in documentation:
            yield node


def _name(call: ast.Call) -> str:
    """`f` of `a.b.f(…)` and of `f(…)`."""
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def _argument(call: ast.Call, *keywords: str) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg in keywords), None)


def _given(call: ast.Call, keyword: str) -> bool:
    value = _argument(call, keyword)
    return value is not None and not (isinstance(value, ast.Constant) and value.value is None)


def _is(call: ast.Call, keyword: str, wanted: bool) -> bool:
    value = _argument(call, keyword)
    return isinstance(value, ast.Constant) and value.value is wanted


def _text(call: ast.Call, position: int, *keywords: str) -> str | None:
    """A literal string argument, by position or keyword; None: there is none."""
    value = call.args[position] if len(call.args) > position else _argument(call, *keywords)
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None
