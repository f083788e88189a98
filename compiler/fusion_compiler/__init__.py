"""The compiler: from fusion diagrams to torch modules."""

from fusion_compiler.api import PIPELINE, compile
from fusion_compiler.block import Block
from fusion_compiler.errors import CompileError, InternalError, MemoryLimitError
from fusion_compiler.explain import Explanation, explain
from fusion_compiler.reparametrise import reparametrise
from fusion_compiler.verify import Certificate, Check, verify

__all__ = [
    "PIPELINE",
    "Block",
    "Certificate",
    "Check",
    "CompileError",
    "Explanation",
    "InternalError",
    "MemoryLimitError",
    "compile",
    "explain",
    "reparametrise",
    "verify",
]
