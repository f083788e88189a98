"""The compiler: from fusion diagrams to torch modules."""

from fusion_compiler.api import PIPELINE, compile
from fusion_compiler.block import Block
from fusion_compiler.errors import CompileError, InternalError
from fusion_compiler.explain import explain

__all__ = ["PIPELINE", "Block", "CompileError", "InternalError", "compile", "explain"]
