"""What autodoc gets wrong about this library's signatures, put right."""

import re
import sys

from attrs import fields_dict
from sphinx.application import Sphinx
from sphinx.util.typing import stringify_annotation

from exportjobs.testing import Answers

_FIELD_DEFAULT = re.compile(r"attr_dict\['(\w+)'\]\.default|=\s*NOTHING")
_CONSTANT = re.compile(r" = (_[A-Z]+)\b")
_FLOW = re.compile(r"[~.\w]+\.Generator\[[~.\w]+\.Request, [~.\w]+\.Response, ")
_ANSWERS = stringify_annotation(Answers, "smart")

_HANDED_OUT = {"FileStream", "Finished", "Installed", "LedgerEntry", "Records", "Stats"}

Signature = tuple[str | None, str | None]


def process_signature(
    _: Sphinx, what: str, name: str, value: object, __: object, given: str | None, gives: str | None
) -> Signature | None:
    """Give a value its fields' defaults, a flow its name, and an export's constructor its result.

    How an error is made is nobody's business but the library's, as is how what it hands out is; and
    a test's fixtures are pytest's.
    """
    if given is None:
        return None
    bare = name.rpartition(".")[2]
    if what == "exception" or bare in _HANDED_OUT or bare.startswith("test_"):
        return "", None
    if hasattr(value, "__export_kind__"):
        return given, "exportjobs.Export"
    if isinstance(value, type):
        given = _with_defaults(value, given)
    return _named(given), gives and _named(gives)


def _named(signature: str) -> str:
    """Return a signature with the names of types in the place of what they stand for."""
    named = signature.replace(_ANSWERS, "exportjobs.testing.Answers")
    return _FLOW.sub("exportjobs.adapter.Flow[", named)


def _with_defaults(cls: type, signature: str) -> str:
    """Return a constructor's signature with what the names of defaults stand for."""
    signature = _FIELD_DEFAULT.sub(lambda found: _default(cls, found), signature)
    return _CONSTANT.sub(lambda found: f" = {_constant(cls, found[1])}", signature)


def _default(cls: type, found: re.Match[str]) -> str:
    if found[1] is None:
        return " = ..."
    default: object = fields_dict(cls)[found[1]].default
    return "..." if hasattr(default, "takes_self") else repr(default)


def _constant(cls: type, name: str) -> str:
    """Return what a private constant is, of the module that a class or one of its bases is in."""
    modules = (vars(sys.modules[one.__module__]) for one in cls.__mro__)
    found = next(names[name] for names in modules if name in names)
    return repr(found).removeprefix("datetime.")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what is put right."""
    app.connect("autodoc-process-signature", process_signature)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
