"""Who holds the state of an export: one writer a field, no stage that knows another."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import fields

from exportjobs import _poller
from exportjobs._poller.loop.tracked import Tracked

POLLER = Path(_poller.__path__[0])
MODULES = {
    str(path.relative_to(POLLER).with_suffix("")): ast.parse(path.read_text())
    for path in sorted(POLLER.rglob("*.py"))
}
STAGES = ("recover", "submit", "poll", "poll_list", "land")
FIELDS = frozenset(field.name for field in fields(Tracked))


def written(tree: ast.AST) -> Iterator[ast.Attribute]:
    """Yield what is assigned to, deleted or added to as an attribute of something."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            yield node


def of_an_export(node: ast.Attribute) -> bool:
    """Return whether an attribute may be a field of an export's record: any other is `self`'s."""
    is_own = isinstance(node.value, ast.Name) and node.value.id == "self"
    return node.attr in FIELDS and not is_own


@pytest.mark.parametrize("field", sorted(FIELDS))
def test_a_field_of_an_export_is_written_by_one_module(field: str) -> None:
    """Whoever wants to know why it is as it is looks in one place."""
    writers = {
        module
        for module, tree in MODULES.items()
        for node in written(tree)
        if node.attr == field and of_an_export(node)
    }

    assert len(writers) <= 1


def test_an_export_does_not_change_itself() -> None:
    """A mutating method would be a write of whoever calls it."""
    methods = [
        node.attr
        for node in written(MODULES["loop/tracked"])
        if isinstance(node.value, ast.Name) and node.value.id == "self"
    ]

    assert methods == []


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_imports_no_other_stage(stage: str) -> None:
    """What two of them need stands below them."""
    imported = {
        node.module
        for node in ast.walk(MODULES[f"loop/{stage}"])
        if isinstance(node, ast.ImportFrom) and node.module
    }
    others = {f"exportjobs._poller.loop.{other}" for other in (*STAGES, "loop") if other != stage}

    assert imported & others == set()


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_handed_no_callback(stage: str) -> None:
    """It leaves what came of its work in the inbox, and calls nobody back."""
    (constructor,) = (
        node
        for owner in ast.walk(MODULES[f"loop/{stage}"])
        if isinstance(owner, ast.ClassDef) and owner.name.endswith("Stage")
        for node in owner.body
        if isinstance(node, ast.FunctionDef) and node.name == "__init__"
    )
    arguments = [*constructor.args.args[1:], *constructor.args.kwonlyargs]
    annotations = {ast.unparse(one.annotation) for one in arguments if one.annotation}

    assert annotations <= {"Answers", "Inbox", "anyio.abc.TaskGroup", "Connections", "int"}
