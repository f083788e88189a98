"""The language of fusion diagrams: irreps, diagrams, their laws, text, files and meaning. No torch in here."""

from fusion import draw  # also registers the drawing of values in notebooks
from fusion._version import __version__
from fusion.dense import Evaluation, evaluate, evaluate_network
from fusion.diagram import (
    Diagram,
    Label,
    Leg,
    Wire,
    add,
    apply,
    label,
    leg,
    one,
    outputs,
    walk_nodes,
    weights,
)
from fusion.equality import canonical, equivalence
from fusion.errors import FileFormatError, FusionError, InputError, LimitError, NotationError
from fusion.files import load, save
from fusion.findings import ChannelError, DiagramError, Finding, IndexSpaceError, LegError, SelectionRuleError
from fusion.generation import Generated, generate
from fusion.graph import from_graph, to_graph
from fusion.index import IndexMap, index_map, tuples
from fusion.irreps import Irrep, Irreps
from fusion.network import Network, line, split_vertex, vertex
from fusion.node import Node
from fusion.notation import parse, parse_network
from fusion.parameters import Parameter, parameters
from fusion.space import Space
from fusion.validate import check, findings
from fusion.violations import Violation

__all__ = [
    "ChannelError",
    "Diagram",
    "DiagramError",
    "Evaluation",
    "FileFormatError",
    "Finding",
    "FusionError",
    "Generated",
    "IndexMap",
    "IndexSpaceError",
    "InputError",
    "Irrep",
    "Irreps",
    "Label",
    "Leg",
    "LegError",
    "LimitError",
    "Network",
    "Node",
    "NotationError",
    "Parameter",
    "SelectionRuleError",
    "Space",
    "Violation",
    "Wire",
    "__version__",
    "add",
    "apply",
    "canonical",
    "check",
    "draw",
    "equivalence",
    "evaluate",
    "evaluate_network",
    "findings",
    "from_graph",
    "generate",
    "index_map",
    "label",
    "leg",
    "line",
    "load",
    "one",
    "outputs",
    "parameters",
    "parse",
    "parse_network",
    "save",
    "split_vertex",
    "to_graph",
    "tuples",
    "vertex",
    "walk_nodes",
    "weights",
]
