"""The main job end to end on real input: ``python -m fusion_models.demo`` (which is what ``make demo`` runs)."""
