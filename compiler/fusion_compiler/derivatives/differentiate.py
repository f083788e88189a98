"""differentiate: the pass that puts derivative programs behind a block's gradients."""

from __future__ import annotations

from fusion_compiler.derivatives.rules import RULES
from fusion_compiler.errors import InternalError
from fusion_compiler.program import Program


def differentiate(program: Program) -> Program:
    """Return the program as it is: its derivatives are made when they are first asked for.

    Raises:
        InternalError: an instruction has no rule.
    """
    for instruction in program.instructions:
        if type(instruction) not in RULES:
            raise InternalError(f"no derivative of '{instruction}'", str(program))
    return program
