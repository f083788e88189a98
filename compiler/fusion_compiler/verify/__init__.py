"""The certificate: what a compiled block promises, measured again on the user's own machine.

Each check is one function in a file of its subject: :mod:`~fusion_compiler.verify.values` (the definition, and
equivariance), :mod:`~fusion_compiler.verify.derivatives` (gradient, second gradient, closed-loop work) and
:mod:`~fusion_compiler.verify.graphs` (``torch.compile`` and ``torch.export``).
"""

from fusion_compiler.verify.certificate import Certificate, Check
from fusion_compiler.verify.run import CHECKS, LIMITS, verify

__all__ = ["CHECKS", "LIMITS", "Certificate", "Check", "verify"]
