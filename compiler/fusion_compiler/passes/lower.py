"""lower: turn a plan into a program, node by node, and contraction by contraction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fusion import diagram as nodes
from fusion_compiler.errors import CompileError
from fusion_compiler.lowering.builder import Builder, Value
from fusion_compiler.lowering.channels import lower_channels, lower_reorder, lower_shuffle
from fusion_compiler.lowering.coupling import lower_fuse
from fusion_compiler.lowering.invariant import lower_geometry, lower_map
from fusion_compiler.lowering.linear import lower_add, lower_direct_sum, lower_mix, lower_scale, lower_select
from fusion_compiler.lowering.network import lower_apply
from fusion_compiler.lowering.polynomial import lower_couple, lower_recombine, lower_weigh
from fusion_compiler.lowering.rows import lower_leg, lower_pull, lower_sum
from fusion_compiler.plan import Plan
from fusion_compiler.polynomial.nodes import Couple, Recombine, Unshared, Weigh
from fusion_compiler.program import Program


def lower(plan: Plan) -> Program:
    """Return the program of a plan."""
    build = Builder(plan)
    for node in plan.expansion.nodes:
        if isinstance(node, nodes.Wire) and plan.expansion.live.get(node):
            rule = RULES.get(type(node))
            if rule is None:
                raise CompileError(f"no lowering for {type(node).__name__}")
            build.values[node] = rule(build, node)
    return build.finish()


RULES: dict[type[nodes.Wire], Callable[[Builder, Any], Value]] = {
    nodes.Leg: lower_leg,
    nodes.Fuse: lower_fuse,
    nodes.Mix: lower_mix,
    nodes.Scale: lower_scale,
    nodes.Add: lower_add,
    nodes.DirectSum: lower_direct_sum,
    nodes.Select: lower_select,
    nodes.Pull: lower_pull,
    nodes.Sum: lower_sum,
    nodes.Split: lower_channels,
    nodes.Merge: lower_channels,
    nodes.Reorder: lower_reorder,
    nodes.Shuffle: lower_shuffle,
    nodes.Map: lower_map,
    nodes.Geometry: lower_geometry,
    nodes.Apply: lower_apply,
    Couple: lower_couple,
    Recombine: lower_recombine,
    Weigh: lower_weigh,
    Unshared: lower_fuse,
}
