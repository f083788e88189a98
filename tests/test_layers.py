"""The direction of imports, and what package code may not contain. Read from the sources, without importing them."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE_ROOTS = {"fusion": "fusion", "fusion_compiler": "compiler", "fusion_models": "models"}
PACKAGES = list(SOURCE_ROOTS)  # lowest layer first

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

# Import names that differ from the name of their distribution.
DISTRIBUTION_OF = {"yaml": "pyyaml"}
# Third-party modules the language may use at all.
FUSION_MAY_IMPORT = {"numpy", "yaml", "sympy", "graphviz", "networkx"}
# Modules that only one file may know, and whether it has to import them lazily (inside a function).
CONFINED = {
    "sympy": ("fusion/fusion/exact.py", True),
    "graphviz": ("fusion/fusion/draw/dot.py", True),
}
EXEC_ALLOWED = "compiler/fusion_compiler/emit/source.py"
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
FORBIDDEN_CALLS = {
    "eval": "evaluates text",
    "builtins.eval": "evaluates text",
    "__import__": "hides an import",
    "torch.load": "unpickles",
    "yaml.full_load": "may construct objects; use yaml.safe_load",
    "yaml.unsafe_load": "constructs objects; use yaml.safe_load",
}
HEAVY = {"torch", "opt_einsum", "sympy", "graphviz", "ase", "matplotlib", "fusion_compiler", "fusion_models"}


@dataclass(frozen=True)
class Import:
    """One imported dotted name; for ``from a import b`` both ``a`` and ``a.b`` are reported.

    ``lazy`` says that importing the module does not run this import.
    """

    module: str
    line: int
    lazy: bool

    @property
    def top(self) -> str:
        return self.module.partition(".")[0]


@dataclass(frozen=True)
class Source:
    """A module of one of the three packages; ``path`` is relative to the repository, with forward slashes."""

    path: str
    package: str
    module: str
    tree: ast.Module

    def at(self, line: int) -> str:
        return f"{self.path}:{line}"


@cache
def sources() -> tuple[Source, ...]:
    found: list[Source] = []
    for package, folder in SOURCE_ROOTS.items():
        base = ROOT / folder
        for path in sorted((base / package).rglob("*.py")):
            parts = path.relative_to(base).with_suffix("").parts
            module = ".".join(parts)
            name = path.relative_to(ROOT).as_posix()
            found.append(Source(name, package, module, ast.parse(path.read_text(encoding="utf-8"), filename=name)))
    return tuple(found)


def imports(source: Source) -> list[Import]:
    """Every import statement, and every ``importlib.import_module`` of a literal name."""
    found: list[Import] = []

    def visit(node: ast.AST, lazy: bool) -> None:
        if isinstance(node, ast.Import):
            found.extend(Import(alias.name, node.lineno, lazy) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = source.module.split(".")[: -node.level]
                base = ".".join([*parents, base]) if base else ".".join(parents)
            found.append(Import(base, node.lineno, lazy))
            found.extend(Import(f"{base}.{alias.name}", node.lineno, lazy) for alias in node.names)
        elif isinstance(node, ast.Call) and dotted(node.func).endswith("import_module") and node.args:
            name = node.args[0]
            if isinstance(name, ast.Constant) and isinstance(name.value, str) and not name.value.startswith("."):
                found.append(Import(name.value, node.lineno, lazy))
        inside = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or for_types_only(node)
        for child in ast.iter_child_nodes(node):
            visit(child, inside)

    visit(source.tree, False)
    return found


def for_types_only(node: ast.AST) -> bool:
    """Whether this is ``if TYPE_CHECKING:``, whose imports never happen."""
    return isinstance(node, ast.If) and dotted(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def dotted(node: ast.AST) -> str:
    """``a.b.c`` of a name or attribute chain, else the empty text."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr}" if base else ""
    return ""


def aliases(tree: ast.Module) -> dict[str, str]:
    """Local name -> dotted name, for all imports of a module."""
    table: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            table.update({alias.asname: alias.name for alias in node.names if alias.asname})
        elif isinstance(node, ast.ImportFrom) and not node.level:
            table.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    return table


def calls(source: Source) -> Iterator[tuple[str, ast.Call]]:
    """Every call whose callee is a dotted name, with import aliases resolved."""
    table = aliases(source.tree)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and (name := dotted(node.func)):
            first, dot, rest = name.partition(".")
            yield table.get(first, first) + dot + rest, node


def backwards(source: Source) -> Iterator[str]:
    above = PACKAGES[PACKAGES.index(source.package) + 1 :]
    for item in imports(source):
        if item.top in above:
            yield f"{source.at(item.line)}: {source.package} imports {item.module} from a layer above it"


def foreign_to_fusion(source: Source) -> Iterator[str]:
    if source.package != "fusion":
        return
    for item in imports(source):
        if item.top not in FUSION_MAY_IMPORT | set(PACKAGES) | sys.stdlib_module_names:
            yield f"{source.at(item.line)}: fusion imports {item.module}; it may use {sorted(FUSION_MAY_IMPORT)}"


def unconfined(source: Source) -> Iterator[str]:
    for item in imports(source):
        if item.top not in CONFINED:
            continue
        home, lazily = CONFINED[item.top]
        if source.path != home:
            yield f"{source.at(item.line)}: {item.module} is imported in {home} only"
        elif lazily and not item.lazy:
            yield f"{source.at(item.line)}: import {item.module} inside the functions that need it"


def pickles(source: Source) -> Iterator[str]:
    for item in imports(source):
        if item.top in FORBIDDEN_MODULES:
            yield f"{source.at(item.line)}: imports {item.module}"


def safe_loader(source: Source, call: ast.Call) -> bool:
    """Whether ``yaml.load`` gets a SafeLoader, or a class of the same module made from one."""
    safe = {"yaml.SafeLoader", "yaml.CSafeLoader"}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef) and any(dotted(base) in safe for base in node.bases):
            safe.add(node.name)
    given = [*call.args[1:2], *(word.value for word in call.keywords if word.arg == "Loader")]
    return any(dotted(node) in safe for node in given)


def dangerous_calls(source: Source) -> Iterator[str]:
    for name, node in calls(source):
        if name == "yaml.load" and not safe_loader(source, node):
            yield f"{source.at(node.lineno)}: yaml.load constructs objects; use a SafeLoader"
        elif name in FORBIDDEN_CALLS:
            yield f"{source.at(node.lineno)}: {name} {FORBIDDEN_CALLS[name]}"
        elif name in ("exec", "builtins.exec") and source.path != EXEC_ALLOWED:
            yield f"{source.at(node.lineno)}: exec is called in {EXEC_ALLOWED} only"
        elif name == "numpy.load" and any(
            word.arg == "allow_pickle" and not (isinstance(word.value, ast.Constant) and word.value.value is False)
            for word in node.keywords
        ):
            yield f"{source.at(node.lineno)}: numpy.load unpickles"


def asserts(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Assert):
            yield f"{source.at(node.lineno)}: assert vanishes under -O; raise one of our exceptions"


def names(requirements: list[str]) -> set[str]:
    """Bare lower-case distribution names of requirement texts."""
    found = (re.match(r"[A-Za-z0-9_.-]+", requirement) for requirement in requirements)
    return {match.group().lower().replace("-", "_") for match in found if match}


def undeclared(source: Source) -> Iterator[str]:
    """Imports that the requirements do not name; inside functions, the extras count as well."""
    required = names(PROJECT["dependencies"])
    optional = names([text for extra in PROJECT["optional-dependencies"].values() for text in extra])
    for item in imports(source):
        if item.top in sys.stdlib_module_names or item.top in PACKAGES:
            continue
        name = DISTRIBUTION_OF.get(item.top, item.top).lower()
        if name not in (required | optional if item.lazy else required):
            where = "an extra only; import it lazily" if name in optional else "neither the requirements nor an extra"
            yield f"{source.at(item.line)}: {item.module} is in {where}"


@pytest.mark.parametrize(
    "law", [undeclared, backwards, foreign_to_fusion, unconfined, pickles, dangerous_calls, asserts]
)
def test_package_code_keeps_the_law(law: Callable[[Source], Iterator[str]]) -> None:
    violations = [violation for source in sources() for violation in law(source)]
    assert not violations, "\n" + "\n".join(violations)


def test_every_package_has_sources() -> None:
    assert {source.package for source in sources()} == set(PACKAGES)


def test_one_file_knows_opt_einsum() -> None:
    users = {source.path for source in sources() for item in imports(source) if item.top == "opt_einsum"}
    assert len(users) == 1, f"opt_einsum is imported in {sorted(users)}"
    assert next(iter(users)).startswith("compiler/fusion_compiler/")


def modules_after(code: str) -> set[str]:
    """Top-level modules loaded in a fresh interpreter that runs ``code``, with nothing on the path but our roots."""
    path = os.pathsep.join(str(ROOT / folder) for folder in SOURCE_ROOTS.values())
    script = f"import sys\n{code}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_importing_fusion_is_light() -> None:
    assert not modules_after("import fusion") & HEAVY


def test_every_module_of_fusion_is_light() -> None:
    modules = [source.module.removesuffix(".__init__") for source in sources() if source.package == "fusion"]
    code = "\n".join(f"import {module}" for module in modules if not module.endswith("__main__"))
    assert not modules_after(code) & HEAVY


BAD = """
import pickle
import numpy as np
import torch as t
from torch import load as read
from ..fusion_models import x

def f(p, model):
    import sympy
    assert p
    eval(p)
    exec(p)
    t.load(p)
    read(p)
    np.load(p, allow_pickle=True)
    model.eval()
    np.load(p, allow_pickle=False)
    yaml.load(p, yaml.Loader)
    yaml.load(p, Careful)

class Careful(yaml.SafeLoader):
    pass
"""


def test_the_laws_catch_what_they_forbid() -> None:
    source = Source("fusion/fusion/bad.py", "fusion", "fusion.bad", ast.parse(BAD))
    lines = {
        law.__name__: [int(text.split(":")[1]) for text in law(source)]
        for law in (foreign_to_fusion, unconfined, pickles, dangerous_calls, asserts)
    }
    assert lines == {
        "foreign_to_fusion": [4, 5, 5],
        "unconfined": [9],
        "pickles": [2],
        "dangerous_calls": [11, 12, 13, 14, 15, 18],
        "asserts": [10],
    }


def test_imports_against_the_direction_are_caught() -> None:
    code = "import fusion_compiler.api\nfrom fusion_models import cli\nimport fusion\nfrom . import rules"
    source = Source("fusion/fusion/bad.py", "fusion", "fusion.bad", ast.parse(code))
    assert [text.split(":")[1] for text in backwards(source)] == ["1", "2", "2"]
