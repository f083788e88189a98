"""The compiler: from fusion diagrams to torch modules."""

from fusion_compiler.api import PIPELINE, compile
from fusion_compiler.block import Block
from fusion_compiler.errors import CompileError, InternalError
from fusion_compiler.explain import explain
from fusion_compiler.verify import Certificate, Check, verify

__all__ = ["PIPELINE", "Block", "Certificate", "Check", "CompileError", "InternalError", "compile", "explain", "verify"]
