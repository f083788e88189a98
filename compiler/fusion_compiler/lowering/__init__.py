"""How each kind of node becomes instructions: one function a kind, over one builder."""
