"""Draw a diagram in characters: one row a node, wires as vertical lines, inputs above their users.

The rows follow the order of :func:`fusion.diagram.walk_nodes`, which keeps few wires open at a time; the shapes of the
SVG layout do not fit on a grid of characters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fusion.diagram import Add, Apply, Diagram, DirectSum, Fuse, Label, Leg, Mix, Scale, Sum, Wire
from fusion.draw.labels import is_side_input, number, words
from fusion.draw.limits import drawable
from fusion.draw.style import clean, columns, shorten
from fusion.findings import Finding
from fusion.network import Network
from fusion.node import Node
from fusion.validate import findings as find

_WHAT_WIDTH, _TYPE_WIDTH, _REMARK_WIDTH = 84, 60, 160
_PLAIN_GRAPH = str.maketrans("│┊─┄├┤┼╰╯┴●○⊗■□⊕ƒΣ↧▶◇▦×", "|:-.+++`'+*o@#=&fSv>%Nx")
_PLAIN_WORDS = str.maketrans({"→": "->", "ν": "nu", "·": "*", "≤": "<=", "…": "...", "⊕": "+", "×": "x"})
_SYMBOLS = {
    "leg": "●", "label": "○", "fuse": "⊗", "power": "^", "mix": "■", "scale": "×", "add": "+", "directsum": "⊕",
    "map": "ƒ", "geometry": "ƒ", "pull": "↧", "sum": "Σ", "apply": "▦", "out": "▶",
}  # fmt: skip


def text(
    value: Wire | Diagram | Network,
    *,
    findings: Sequence[Finding] | None = None,
    notes: Mapping[Node, str] | None = None,
    ascii: bool = False,
) -> str:
    """Return the drawing of a diagram, or the table of a network's vertices, as text.

    Args:
        value: a wire, a diagram with several outputs, or a network.
        findings: what to say below rows; by default everything the validator finds.
        notes: plain text to write below rows, such as costs.
        ascii: whether to use ASCII characters only.

    Raises:
        LimitError: there are more nodes than can be drawn.
    """
    if isinstance(value, Network):
        drawable(value)
        return "".join(f"{_said(row, ascii)}\n" for row in _network_rows(value))
    rows = _rows(Diagram.of(value), find(value) if findings is None else findings, notes or {})
    if ascii:
        rows = [(a, b.translate(_PLAIN_GRAPH), _said(c, ascii), _said(d, ascii)) for a, b, c, d in rows]
    first = max(len(row[0]) for row in rows)
    second = max(len(row[1]) for row in rows)
    third = max((columns(row[2]) for row in rows if row[3]), default=0)
    return "".join(
        f"{count:>{first}} {graph:<{second}} {what}{' ' * (third - columns(what))}  {kind}".rstrip() + "\n"
        for count, graph, what, kind in rows
    )


def _said(words: str, ascii: bool) -> str:
    return words.translate(_PLAIN_WORDS).encode("ascii", "replace").decode("ascii") if ascii else words


def _rows(diagram: Diagram, findings: Sequence[Finding], notes: Mapping[Node, str]) -> list[tuple[str, str, str, str]]:
    """Return (number, wires, what, type of the leaving wire) of every row."""
    nodes = drawable(diagram)
    numbers = {node: count for count, node in enumerate(nodes, 1)}
    uses: dict[Node, int] = {}
    for used in (*(wire for node in nodes for wire in node.inputs), *(wire for _, wire in diagram.outputs)):
        uses[used] = uses.get(used, 0) + 1
    board = _Board(uses)
    rows: list[tuple[str, str, str, str]] = []

    def below(remarks: Sequence[str]) -> None:
        rows.extend(("", board.bars(), shorten(clean(line), _REMARK_WIDTH), "") for line in remarks)

    for node in nodes:
        rows.append((str(numbers[node]), board.place(node), shorten(_what(node, numbers), _WHAT_WIDTH), _type(node)))
        if isinstance(node, Apply) and not node.is_one:
            below(_network_rows(node.network)[1:])
        below([f"! {found.violation.severity}: {found.violation.headline}" for found in findings if found.node == node])
        below([f"# {line}" for line in notes.get(node, "").split("\n")[:6] if line.strip()])
        for name, wire in diagram.outputs:
            if wire == node:
                rows.append(("", board.finish(node), shorten(clean(f"out {name}"), _WHAT_WIDTH), ""))
    return rows


class _Board:
    """The columns of open wires, from left to right; a closed column is free again."""

    def __init__(self, uses: Mapping[Node, int]) -> None:
        self.left = dict(uses)
        self.open: list[Node | None] = []

    def bars(self) -> str:
        """Return a row in which nothing happens."""
        return "".join(" " if node is None else self._bar(node) for node in self._spaced()).rstrip()

    def finish(self, node: Node) -> str:
        """Return the row of an output that ends on ``node``'s wire."""
        column = self.open.index(node)
        self.left[node] -= 1
        if not self.left[node]:
            cells = self._cells()
            cells[2 * column] = _SYMBOLS["out"]
            self.open[column] = None
            return "".join(cells).rstrip()
        free = self._free()
        return self._row({column}, free, _SYMBOLS["out"], {column: "─"}, take=None)

    def place(self, node: Node) -> str:
        """Return the row of a node: its symbol, joined with the columns of its inputs."""
        inputs: dict[int, str] = {}
        main: list[int] = []
        for port, wire in enumerate(node.inputs):
            column = self.open.index(wire)
            self.left[wire] -= 1
            inputs[column] = "┄" if isinstance(wire, Label) else inputs.get(column, "─")
            if not is_side_input(node, port):
                main.append(column)
        ending = [column for column in main if not self._remains(column)]
        ending.extend(sorted(column for column in inputs if not self._remains(column)))
        column = ending[0] if ending else self._free()
        symbol = "□" if isinstance(node, Mix) and not words(node).learned else _SYMBOLS.get(node.kind, "◇")
        return self._row(set(inputs), column, symbol, inputs, take=node)

    def _remains(self, column: int) -> bool:
        node = self.open[column]
        return node is not None and self.left[node] > 0

    def _free(self) -> int:
        for column, node in enumerate(self.open):
            if node is None:
                return column
        self.open.append(None)
        return len(self.open) - 1

    def _spaced(self) -> list[Node | None]:
        return [item for node in self.open for item in (node, None)]

    def _cells(self) -> list[str]:
        return [" " if node is None else self._bar(node) for node in self._spaced()]

    def _bar(self, node: Node) -> str:
        return "┊" if isinstance(node, Label) else "│"

    def _row(self, ins: set[int], column: int, symbol: str, looks: Mapping[int, str], take: Node | None) -> str:
        """Return a row with a symbol in ``column`` joined to the columns ``ins``, and close the ones that end."""
        cells = self._cells()
        lowest, highest = min((column, *ins)), max((column, *ins))
        for cell in range(2 * lowest + 1, 2 * highest):
            far = [c for c in ins if (2 * c <= cell if cell < 2 * column else 2 * c >= cell)]
            line = "─" if any(looks[c] == "─" for c in far) else "┄"
            if cell % 2 or self.open[cell // 2] is None:
                cells[cell] = line
        for at in sorted(ins - {column}):
            stays = self._remains(at)
            if lowest < at < highest:
                cells[2 * at] = "┼" if stays else "┴"
            elif at == lowest:
                cells[2 * at] = "├" if stays else "╰"
            else:
                cells[2 * at] = "┤" if stays else "╯"
        cells[2 * column] = symbol
        for at in ins:
            if not self._remains(at):
                self.open[at] = None
        if take is not None:
            self.open[column] = take if self.left.get(take, 0) else None
        return "".join(cells).rstrip()


def _what(node: Node, numbers: Mapping[Node, int]) -> str:
    """Return what a node does, with the row numbers of its inputs where there are several."""
    said = words(node)
    count = [str(numbers[wire]) for wire in node.inputs]
    match node:
        case Leg():
            return " ".join(("leg", *said.inside))
        case Label():
            return " ".join(("label", *said.inside))
        case Fuse():
            return "  ".join((f"fuse {count[0]} @ {count[1]}", *said.beside))
        case Scale():
            return "  ".join((f"scale {count[0]} by {count[1]}", *said.inside[1:]))
        case Add():
            terms = ((factor, row) for (factor, _), row in zip(node.terms, count, strict=True))
            return "add " + " + ".join(row if factor == 1.0 else f"{number(factor)}·{row}" for factor, row in terms)
        case DirectSum():
            return "direct sum " + " ⊕ ".join(count)
        case Apply() if node.is_one:
            return "1"
        case Apply():
            ends = ", ".join(f"{end}={row}" for (end, _), row in zip(node.wires, count, strict=True))
            return f"network({ends})"
        case Sum():
            return "  ".join((said.inside[0].replace("Σ", "sum"), *said.inside[1:]))
        case _:
            return "  ".join(said.inside)


def _type(node: Node) -> str:
    if isinstance(node, Label):
        return f"on {clean(node.space.on)}"
    return shorten(clean(str(node.space)), _TYPE_WIDTH)


def _network_rows(network: Network) -> list[str]:
    """Return a table of the vertices, every line with its irrep, and the broken rules."""
    irreps = network.irreps

    def ends(names: Sequence[str]) -> str:
        return "  ".join(f"{name}={irreps[name]}" for name in names)

    rows = [f"network of {len(network.vertices)} vertices and {len(network.lines)} lines"]
    if network.ins:
        rows.append(f"    in     {ends(network.ins)}")
    rows.extend(
        " ".join(filter(None, (f"    {vertex.kind:<6}", ends(vertex.enters), "→", ends(vertex.leaves))))
        for vertex in network.vertices
    )
    if network.outs:
        rows.append(f"    out    {ends(network.outs)}")
    rows.extend(f"    ! error: {found.headline}" for found in network.violations())
    return [shorten(clean(row), _REMARK_WIDTH) for row in rows]
