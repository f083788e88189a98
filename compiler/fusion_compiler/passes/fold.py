"""fold: constants with constants, tables after one another as one, and no instruction that only relabels twice.

Program -> Program. What stays: values to rounding, names and shapes of inputs, labels, maps, coefficients and outputs.
A rule applies where the exact cost of what it replaces falls for representative numbers of rows, in operations or in
bytes or in the number of instructions, and rises in none; a value that others read keeps its instruction, so that its
cost counts. Tables hold entries that are sums of products of entries: those that cancel to rounding are zero.

- *constants*: an instruction on constants is evaluated (:mod:`~fusion_compiler.passes.known`).
- *tables*: selections of components, constant factors, and contractions with a table go into the table of the
  contraction or of the selected products before them (:mod:`~fusion_compiler.passes.fold_tables`).
- *sums*: combinations of combinations are one (:mod:`~fusion_compiler.passes.fold_sums`).
- *rows*: what is done to values without rows that are repeated for every row is done once.
- *views*: cuts of joined values, reshapes of reshapes (:mod:`~fusion_compiler.passes.fold_views`).
"""

from __future__ import annotations

from fusion_compiler.passes import fold_sums, fold_tables, fold_views
from fusion_compiler.passes.rewriting import Rewriting, Rule, representative_totals
from fusion_compiler.program import Program

FREE: tuple[Rule, ...] = (
    fold_views.nothing,
    fold_views.single_join,
    fold_views.undone,
    fold_views.view_of_view,
    fold_views.before_rows,
    fold_views.part,
    fold_tables.constants,
)
"""Rules that may leave costs as they are: each of them makes the way from the inputs shorter, so they end."""
STRICT: tuple[Rule, ...] = (
    fold_views.chosen_of_joined,
    fold_tables.terms,
    fold_tables.taken,
    fold_tables.equal_entries,
    fold_tables.single_number,
    fold_tables.bias,
    fold_tables.repeated,
    fold_tables.known_factor,
    fold_tables.after_products,
    fold_tables.after_contract,
    fold_sums.by_constant,
    fold_sums.flattened,
    fold_sums.factors,
)


def fold(program: Program) -> Program:
    """Return the folded program, or the program itself where nothing is gained."""
    found = Rewriting(program).run(FREE, STRICT)
    if found is program:
        return program
    before, after = representative_totals(program), representative_totals(found)
    return found if all(new <= old for new, old in zip(after, before, strict=True)) else program
