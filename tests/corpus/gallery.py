"""The gallery in ``docs``: every diagram of the corpus beside its expression, written by ``python -m corpus.gallery``.

Expressions are the sources of the corpus itself, so that the page cannot say anything else than what is drawn.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FunctionType, ModuleType

from corpus import NODES, PUBLISHED, nodes, published
from corpus.published import common
from fusion import Wire, leg
from fusion.draw import svg

PAGE = "gallery.md"
IMAGES = "images/gallery"
README_IMAGE = "images/mace-layer.svg"
DOCS = Path(__file__).parents[2] / "docs"

_HEAD = """# Gallery

Every diagram of the test corpus, as its expression in Python and as the program draws it; channels are few, so that
tests are quick. `make docs` rebuilds this page and its drawings from `tests/corpus`, and a test compares them.

A line is one irrep: its colour says the degree l, a dashed line has parity -(-1)^l, and its pale lane tells where the
wire lives, on atoms, edges or another index space. Green boxes have learned weights; circles are Clebsch-Gordan
couplings. Wires of wide diagrams are cut: →1 goes on at 1→, and inputs are drawn again where they are used.
"""


def broken() -> Wire:
    """Two errors and a notice, as the validator marks them; a drawing never hides what is wrong."""
    v, w, q = leg("v", "1o", channels=16), leg("w", "1o", channels=16), leg("q", "2e", channels=8)
    first = ((v @ w)["0e+1o"] @ q)["3o"].mix("u->v", v=4)
    return first + (v @ v)["0e+1e"].mix("u->v", v=4)


def gallery() -> dict[str, str]:
    """Return the text of the page, of every drawing, and of the README's drawing, by path below ``docs``."""
    families = sorted(_families(), key=lambda family: list(PUBLISHED).index(_blocks(family)[0].__name__))
    contents = [
        f"- [{_title(family)}](#{_slug(_title(family))}): "
        + ", ".join(f"[{block.__name__}](#{block.__name__})" for block in _blocks(family))
        for family in families
    ]
    contents.append("- [Nodes](#nodes), one by one")
    contents.append("- [Errors and notices](#errors-and-notices)")
    parts = [_HEAD, "\n".join(contents) + "\n", "## Shared wires\n", _code(_shared(common, ()))]
    for family in families:
        parts.extend(_family(family))
    parts.extend(_nodes())
    parts.extend(["## Errors and notices\n", f"{inspect.getdoc(broken)}\n", _code(_body(broken)), _image("broken")])
    drawings = {name: svg(diagram) for name, diagram in {**PUBLISHED, **NODES, "broken": broken()}.items()}
    files = {f"{IMAGES}/{name}.svg": drawing for name, drawing in drawings.items()}
    return {PAGE: "\n".join(parts), README_IMAGE: drawings["mace_layer"], **files}


def _families() -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules(published.__path__):
        module = importlib.import_module(f"{published.__name__}.{found.name}")
        if getattr(module, "BLOCKS", ()):
            yield module


def _blocks(family: ModuleType) -> Sequence[FunctionType]:
    return family.BLOCKS


def _title(family: ModuleType) -> str:
    """Return the first words of a file: up to the authors, the details, or the end of the sentence."""
    return re.split(r" \(|:|, | and |\. |\.$", (inspect.getdoc(family) or "").splitlines()[0])[0]


def _slug(title: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _family(family: ModuleType) -> Iterator[str]:
    yield f"## {_title(family)}\n"
    yield f"{inspect.getdoc(family)}\n"
    blocks = _blocks(family)
    shared = _shared(family, [block.__name__ for block in blocks])
    if shared:
        yield "Shared by these blocks:\n"
        yield _code(shared)
    for block in blocks:
        yield f"### {block.__name__}\n"
        yield f"{inspect.getdoc(block)}\n"
        yield _code(_body(block))
        yield _image(block.__name__)


def _nodes() -> Iterator[str]:
    """Show the diagrams of single nodes, each beside its entry in the table that makes it."""
    source = inspect.getsource(nodes)
    yield "## Nodes\n"
    yield f"{(inspect.getdoc(nodes) or '').splitlines()[0]} They share these wires:\n"
    yield _code(_shared(nodes, ()))
    entries: dict[str, str] = {}
    before: dict[str, str] = {}
    for group in ast.parse(source).body:
        if not isinstance(group, ast.FunctionDef) or not isinstance(group.body[-1], ast.Return):
            continue
        table = group.body[-1].value
        if not isinstance(table, ast.Dict):
            continue
        names = [key.value if isinstance(key, ast.Constant) else None for key in table.keys]
        known = [name for name in names if isinstance(name, str)]
        if known and len(group.body) > 1:
            before[known[0]] = "\n".join(_dedent(_lines(source, statement)) for statement in group.body[:-1])
        for name, value in zip(names, table.values, strict=True):
            if isinstance(name, str):
                entries[name] = _dedent(_lines(source, value, whole=False))
    for name, diagram in NODES.items():
        if name in before:
            yield "With\n"
            yield _code(before[name])
        yield f"### {name}\n"
        yield _code(entries.get(name, str(diagram)))
        yield _image(name)


def _shared(module: ModuleType, blocks: Sequence[str]) -> str:
    """Return the source of a file without its docstring, imports, blocks and tables, with what it takes from others."""
    source = inspect.getsource(module)
    kept: list[str] = []
    statements = ast.parse(source).body
    for place, statement in enumerate(statements):
        match statement:
            case ast.ImportFrom(module=str(name)) if name.startswith("corpus.") and name != common.__name__:
                other = importlib.import_module(name)
                kept.extend(_assignment(other, alias.name) for alias in statement.names)
            case ast.Assign(targets=[ast.Name(id=name)]) if name != "BLOCKS":
                kept.append(_lines(source, statement))
                following = statements[place + 1] if place + 1 < len(statements) else None
                if isinstance(following, ast.Expr):
                    kept.append(_lines(source, following))
            case ast.FunctionDef(name=name) if name not in blocks and not _is_table(statement):
                kept.append(("\n" if kept else "") + _lines(source, statement) + "\n")
            case _:
                pass
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip("\n")


def _is_table(function: ast.FunctionDef) -> bool:
    """Whether a function only makes entries of the table of nodes."""
    last = function.body[-1]
    return isinstance(last, ast.Return) and isinstance(last.value, ast.Dict)


def _assignment(module: ModuleType, name: str) -> str:
    source = inspect.getsource(module)
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == name for t in statement.targets
        ):
            return _lines(source, statement)
    return ""


def _body(block: FunctionType) -> str:
    """Return the source of a function without its docstring, which stands above it."""
    source = inspect.getsource(block)
    function = ast.parse(source).body[0]
    if not isinstance(function, ast.FunctionDef) or not inspect.getdoc(block):
        return source.rstrip()
    lines = source.splitlines()
    text = function.body[0]
    return "\n".join(lines[: text.lineno - 1] + lines[text.end_lineno or text.lineno :])


def _lines(source: str, part: ast.stmt | ast.expr, whole: bool = True) -> str:
    """Return the source of a part; ``whole`` lines, with the comments behind it."""
    if whole:
        return "\n".join(source.splitlines()[part.lineno - 1 : part.end_lineno])
    return ast.get_source_segment(source, part, padded=True) or ""


def _dedent(text: str) -> str:
    return inspect.cleandoc(text)


def _code(text: str) -> str:
    return f"```python\n{text}\n```\n"


def _image(name: str) -> str:
    return f"![{name}]({IMAGES}/{name}.svg)\n"


if __name__ == "__main__":
    docs = Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS
    files = gallery()
    (docs / IMAGES).mkdir(parents=True, exist_ok=True)
    for old in (docs / IMAGES).glob("*.svg"):
        if f"{IMAGES}/{old.name}" not in files:
            old.unlink()
    for name, text in files.items():
        (docs / name).write_text(text, encoding="utf-8", newline="\n")
