"""The explanation of a block: a text, and the diagram with its costs drawn on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fusion.diagram import Diagram
from fusion.draw import Drawing, draw
from fusion_compiler.api import Stage, run_passes
from fusion_compiler.block import Block
from fusion_compiler.explain.dead import Dead, dead_parameters
from fusion_compiler.explain.nodes import cost_notes
from fusion_compiler.explain.passes import pass_lines
from fusion_compiler.explain.sections import coefficient_lines, cost_lines, dead_lines, memory_lines, outcome_lines
from fusion_compiler.explain.sizes import Sizes
from fusion_compiler.plan import Plan

LEVELS = ("diagram", "rewritten diagram", "expansion", "plan", "program")


@dataclass(frozen=True)
class Explanation:
    """What :func:`explain` found out; prints its text, and shows its drawing in notebooks.

    Attributes:
        text: the report.
        drawing: the diagram that the plan is of, with the exact costs of every node.
        dead: coefficients that nothing depends on.
    """

    text: str
    drawing: Drawing
    dead: tuple[Dead, ...]

    @property
    def svg(self) -> str:
        """The drawing as SVG.

        Raises:
            LimitError: there are more nodes than can be drawn.
        """
        return self.drawing.svg()

    def __str__(self) -> str:
        return self.text

    def _repr_svg_(self) -> str:
        return self.svg


def explain(block: Block, *, rows: Mapping[str, int] | None = None) -> Explanation:
    """Explain a block: its levels, what every pass changed and saved, costs, memory, and dead parameters.

    It compiles the diagram again, once and once more without each pass that can be switched off and changed something,
    and it runs the program three times on a few random rows, forward and backward, to find dead parameters.

    Args:
        block: a compiled block.
        rows: numbers of rows of index spaces for totals and memory. 1 each when left out; of a space of tuples, as many
            as when all images have equally many.

    Raises:
        CompileError: rows of an index space that the diagram does not have.
    """
    stages = run_passes(block.diagram, [ran.name for ran in block.passes if not ran.on])
    sizes = Sizes.of(block, rows or {})
    dead = dead_parameters(block)
    sections = [("passes", outcome_lines(block))]
    sections += [(level, [block.levels[level]]) for level in LEVELS if level in block.levels]
    sections += [
        (f"costs of the program (emitter {block.emitter}, {block.dtype})", cost_lines(block, sizes)),
        ("memory", memory_lines(block, sizes)),
        ("what the passes changed and saved", pass_lines(block, stages, sizes)),
        coefficient_lines(block),
        ("dead parameters", dead_lines(dead)),
    ]
    text = "\n\n".join("\n".join([f"== {title}", *lines]) for title, lines in sections)
    return Explanation(text, _drawing(block, stages), dead)


def _drawing(block: Block, stages: tuple[Stage, ...]) -> Drawing:
    """Return the last diagram of the pipeline with the costs of the plan as notes."""
    diagram = [stage.after for stage in stages if isinstance(stage.after, Diagram)][-1]
    plan = [stage.after for stage in stages if isinstance(stage.after, Plan)][-1]
    return draw(diagram, findings=(), notes=cost_notes(diagram, plan, block.dtype.itemsize))
