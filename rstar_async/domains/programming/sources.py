"""The programs that judge: this package's own modules, as sources for the sandbox."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

PACKAGE = "_program_tests"  # in the sandbox
_LOADER = """\
import sys, types
package = types.ModuleType(package_name)
package.__path__ = []
sys.modules[package_name] = package
for name, source in modules:
    full_name = package_name + "." + name
    module = types.ModuleType(full_name)
    module.__package__ = package_name
    sys.modules[full_name] = module
    exec(compile(source, "<" + name + ">", "exec"), vars(module))
"""


@cache
def loading(*modules: str) -> str:
    """A step that loads modules of `inside`, whatever names a program before it has redefined."""
    folder = files("rstar_async.domains.programming.inside")
    sources = [(name, (folder / f"{name}.py").read_text()) for name in modules]
    names = {"package_name": PACKAGE, "modules": sources}
    return f"import builtins as _builtins\n_builtins.exec({_LOADER!r}, {names!r})"


def calling(module: str, request: Mapping[str, Any], *, with_names: bool = False) -> str:
    """A step that calls `main` of a loaded module, with the program's names if it wants them."""
    words = [repr(json.dumps(request)), *(["_builtins.globals()"] if with_names else [])]
    main = f"_sys.modules[{PACKAGE + '.' + module!r}].main"
    return f"import builtins as _builtins, sys as _sys\n{main}({', '.join(words)})"


def judging(request: Mapping[str, Any]) -> Sequence[str]:
    """The program that runs tests."""
    return [loading("values", "judge"), calling("judge", request)]


def calls_after(program: Sequence[str], request: Mapping[str, Any]) -> Sequence[str]:
    """`program`, and one more step that calls its functions."""
    load, call = loading("values", "calls"), calling("calls", request, with_names=True)
    return [*program, f"{load}\n{call}"]
