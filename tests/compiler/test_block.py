"""The module: derivatives, copies, state, compile, export, and clear errors for wrong inputs."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck
from torch.nn.utils import parametrize, prune

import fusion_compiler
from compiler.running import Case, case
from corpus import NODES
from fusion import InputError, Wire, add, label, leg, one, outputs, parse, tuples, weights


def layer() -> Wire:
    h, z = leg("h", "0e+1o", channels=3), label("z", 3)
    harmonics = leg("d", "1o", on="edge").harmonics(2)
    a = (
        (harmonics @ h.mix("u->v").pull("sender"))["0e+1o+2e"]
        .scale(weights("R"))
        .sum("receiver")
        .mix("u->v", name="message")
    )
    product = a.power(1, 2)["0e+1o"].mix("u->u", per=z, name="product")
    return add(product, h.mix("u->v", per=z, name="skip"))


def derivatives(found: Case) -> None:
    names = found.floating
    coefficients = list(found.block.coefficients.values())
    for parameter in coefficients:
        parameter.requires_grad_(False)

    def run(*values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(found.run({**found.tensors, **dict(zip(names, values, strict=True))}).values())

    values = tuple(found.tensors[name].clone().requires_grad_() for name in names)
    if not values or not any(value.numel() for value in values):
        return
    if not any(value.requires_grad for value in run(*values)):
        return
    assert gradcheck(run, values)
    assert gradgradcheck(run, values)


@pytest.mark.parametrize("name", NODES)
def test_first_and_second_derivatives(name: str) -> None:
    derivatives(case(NODES[name], seed=6, rows=(2,)))


def test_derivatives_of_a_layer() -> None:
    derivatives(case(layer(), seed=7, rows=(3,)))


def test_coefficients_get_gradients() -> None:
    found = case(layer(), rows=(3,))
    found.run()["out"].square().sum().backward()
    assert all(
        value.grad is not None and bool(value.grad.abs().sum() > 0) for value in found.block.coefficients.values()
    )


@pytest.mark.parametrize("name", ["values", "training", "mix1"])
def test_shared_coefficients_are_called_as_their_node(name: str) -> None:
    """Whatever the name: coefficients are not attributes of a module."""
    found = case(add(leg("h", "0e+1o", channels=3).mix("u->v", shared=True, name=name), leg("k", "0e+1o", channels=3)))
    assert list(found.block.state_dict()) == [f"coefficients.{name}"]
    assert list(found.block.coefficients.keys()) == list(found.block.coefficients) == [name]
    assert name in found.block.coefficients
    assert len(found.block.coefficients) == 1
    assert f"{name}: 1 x 1 x 3 x 3" in str(found.block)
    value = found.block.eval()(found.tensors)
    assert not found.block.coefficients.training
    assert torch.equal(pickle.loads(pickle.dumps(found.block)).train()(found.tensors), value)
    compiled = torch.compile(found.block, fullgraph=True, backend="aot_eager")
    assert torch.allclose(compiled(found.tensors), value, rtol=1e-12)


def test_copy_and_pickle_keep_the_value() -> None:
    found = case(layer(), rows=(3,))
    value = found.run()["out"]
    assert torch.equal(copy.deepcopy(found.block)(found.tensors), value)
    assert torch.equal(pickle.loads(pickle.dumps(found.block))(found.tensors), value)


def test_state_dict_is_the_same_for_every_option() -> None:
    states = [
        fusion_compiler.compile(layer(), emitter=emitter, dtype=dtype).state_dict()
        for emitter in ("interpret", "source")
        for dtype in (torch.float32, torch.float64)
    ]
    shapes = [{name: value.shape for name, value in state.items()} for state in states]
    assert all(found == shapes[0] for found in shapes)
    assert set(shapes[0]) == {
        f"coefficients.{n}"
        for n in (
            "mix1_0e",
            "mix1_1o",
            "message_0e",
            "message_1o",
            "message_2e",
            "product_0e",
            "product_1o",
            "skip_0e",
            "skip_1o",
        )
    }


def test_state_dict_round_trip() -> None:
    first, second = case(layer(), seed=1, rows=(3,)), case(layer(), seed=2, rows=(3,))
    second.block.load_state_dict(first.block.state_dict())
    assert torch.equal(second.block(first.tensors), first.run()["out"])


def test_a_wider_type_has_all_its_digits() -> None:
    """A block built in float32 and turned to float64 equals one built in float64, tables included."""
    found = case(layer(), rows=(3,))
    block = fusion_compiler.compile(layer(), dtype=torch.float32).to(torch.float64)
    assert block.dtype == torch.float64
    block.load_state_dict(found.block.state_dict())
    assert torch.equal(block(found.tensors), found.run()["out"])


def test_initial_weights_have_unit_gain() -> None:
    torch.manual_seed(0)
    block = fusion_compiler.compile(leg("h", "3x1o", channels=64).mix("u->v"), dtype=torch.float64)
    out = block(h=torch.randn(400, 64, 9, dtype=torch.float64)).detach()
    assert abs(float(out.var()) - 1.0) < 0.1


def test_torch_compile_forward() -> None:
    found = case(layer(), rows=(4,))
    compiled = torch.compile(found.block, fullgraph=True, dynamic=True, backend="aot_eager")
    assert torch.allclose(compiled(found.tensors), found.run()["out"], rtol=0, atol=1e-12)


def test_export_with_dynamic_rows() -> None:
    found = case(layer(), seed=8, rows=(5,))
    shapes = ({name: {0: torch.export.Dim.AUTO} for name in found.tensors},)
    program = torch.export.export(found.block, (found.tensors,), dynamic_shapes=shapes).module()
    for rows in ((0,), (1,), (2,), (9,)):
        other = case(layer(), seed=9, rows=rows)
        other.block.load_state_dict(found.block.state_dict())
        assert torch.allclose(program(other.tensors), other.run()["out"], rtol=0, atol=1e-12), rows


def test_product_spaces_are_derived_when_their_maps_are_not_given() -> None:
    first, second = tuples("receiver")
    x = leg("x", "1o", on="edge")
    diagram = (x.pull(first) @ x.pull(second))["0e"].sum(first).sum("receiver")
    block = fusion_compiler.compile(diagram, dtype=torch.float64)
    receiver = torch.tensor([1, 0, 1, 1])
    value = torch.randn(4, 3, dtype=torch.float64)
    out = block(x=value, receiver=receiver, sizes={"atom": 3})
    sums = torch.zeros(3, 3, dtype=torch.float64).index_add(0, receiver, value)
    assert torch.allclose(out[:, 0], (sums * sums).sum(-1) / np.sqrt(3), atol=1e-13)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("h"), "missing: h"),
        (lambda t: t.update(extra=torch.zeros(3)), "unknown: extra"),
        (lambda t: t.update(h=t["h"][..., :2]), r"'h' has shape \(4, 3, 2\), expected \(atom rows, 3, 4\)"),
        (lambda t: t.update(h=t["h"].float()), "float32, the block computes in torch.float64"),
        (lambda t: t.update(sender=t["sender"].double()), "'sender' must be a one-dimensional integer tensor"),
        (lambda t: t.update(sender=t["sender"][:2]), "both live on edge"),
        (lambda t: t.update(z=t["z"] + 5), r"label 'z' on atom must lie in 0..2"),
        (lambda t: t.update(receiver=t["receiver"] + 9), r"map 'receiver' must point to rows of atom 0..3"),
    ],
)
def test_wrong_inputs_are_named(change: object, message: str) -> None:
    found = case(layer(), rows=(4,))
    tensors = dict(found.tensors)
    assert callable(change)
    change(tensors)
    with pytest.raises(InputError, match=message):
        found.block(tensors)


def test_numbers_of_rows_must_agree() -> None:
    block = fusion_compiler.compile(add(leg("h", "0e"), leg("g", "0e")), dtype=torch.float64)
    five, one = torch.zeros(5, 1, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)
    with pytest.raises(InputError, match="'g' has 1 rows and 'h' has 5"):
        block(h=five, g=one)
    with pytest.raises(InputError, match="'h' has 5 rows and 'sizes' has 3"):
        block(h=five, g=five, sizes={"atom": 3})
    with pytest.raises(InputError, match="integer >= 0"):
        block(h=five, g=five, sizes={"atom": -1})
    with pytest.raises(InputError, match="must be a torch tensor, not ndarray"):
        block(h=five.numpy(), g=five)
    constant = fusion_compiler.compile(leg("c", "0e", on="constant") @ leg("h", "0e"), dtype=torch.float64)
    with pytest.raises(InputError, match="'c' has 5 rows and 'the constant space' has 1"):
        constant(c=five, h=five)


def test_fitted_coefficients_must_be_bound() -> None:
    block = fusion_compiler.compile(leg("h", "0e", channels=2).mix("u->v", buffer="pca"), dtype=torch.float64)
    with pytest.raises(InputError, match="no coefficients are given for 'pca_0e'"):
        block(h=torch.zeros(3, 2, 1, dtype=torch.float64))


def test_a_constant_joins_wires_of_different_spaces() -> None:
    c, h, e = leg("c", "0e", on="constant"), leg("h", "0e"), leg("e", "0e", on="edge")
    block = fusion_compiler.compile(outputs(a=add(c, h), b=add(c, e)), dtype=torch.float64)
    one = torch.ones(1, 1, dtype=torch.float64)
    out = block(c=one, h=torch.zeros(5, 1, dtype=torch.float64), e=torch.zeros(1, 1, dtype=torch.float64))
    assert (out["a"].shape, out["b"].shape) == ((5, 1), (1, 1))


def test_unknown_coefficients_are_refused() -> None:
    block = fusion_compiler.compile(layer())
    with pytest.raises(InputError, match="no coefficients 'nothing_0e'"):
        block.load_coefficients({"nothing_0e": 0.0})
    with pytest.raises(InputError, match="have shape"):
        block.load_coefficients({"mix1_0e": np.zeros(3)})


def test_tuples_of_tuples_come_from_the_first_map() -> None:
    first, _ = tuples("receiver")
    outer = tuples(first)[0]
    block = fusion_compiler.compile(leg("x", "0e", on="edge").pull(first).pull(outer), dtype=torch.float64)
    out = block(x=torch.tensor([[1.0], [2.0]], dtype=torch.float64), receiver=torch.tensor([0, 0]))
    assert out[:, 0].tolist() == [1.0] * 4 + [2.0] * 4


def test_the_base_of_tuples_may_be_given_where_no_path_needs_it() -> None:
    first, _ = tuples("receiver")
    on_pairs, number = leg("c", "0e", on="receiver^2"), leg("n", "0e", on="constant")
    diagram = ((leg("x", "3o", on="edge").pull(first) + on_pairs) @ number)["0e"]
    block = fusion_compiler.compile(diagram, dtype=torch.float64)
    given = {"x": torch.ones(2, 7), "c": torch.ones(2, 1), "n": 3 * torch.ones(1, 1)}
    found = block(**{name: x.double() for name, x in given.items()}, receiver=torch.tensor([0, 1]))
    assert found.tolist() == [[3.0], [3.0]]


def test_another_emitter_runs_the_same_program() -> None:
    found = case(layer(), rows=(3,))
    source = found.block.source
    found.block.set_emitter("interpret")
    assert found.block.emitter == "interpret" and found.block.source == source
    assert found.error() <= 1e-12
    with pytest.raises(fusion_compiler.CompileError, match="unknown emitter 'fortran'"):
        found.block.set_emitter("fortran")
    assert found.block.emitter == "interpret"


class Doubled(torch.nn.Module):
    def forward(self, value: torch.Tensor) -> torch.Tensor:
        return 2 * value


def test_parametrised_coefficients_are_computed_when_they_are_asked_for() -> None:
    found = case(layer(), rows=(3,))
    learned = found.block.coefficients
    name, twin = next(iter(learned)), copy.deepcopy(found.block)
    twin.load_coefficients({name: 2 * learned[name].detach()})
    parametrize.register_parametrization(learned, name, Doubled())
    expected = twin(**found.tensors, sizes=found.sizes)
    torch.testing.assert_close(found.run()["out"], expected, rtol=1e-13, atol=1e-13)
    (slope,) = torch.autograd.grad(found.run()["out"].sum(), list(learned.parameters())[-1:])
    (twice,) = torch.autograd.grad(expected.sum(), twin.coefficients[name])
    torch.testing.assert_close(slope, 2 * twice, rtol=1e-13, atol=1e-13)
    assert list(learned) == list(twin.coefficients) and len(learned) == len(twin.coefficients) and name in learned
    with pytest.raises(InputError, match=f"the coefficients '{name}' are computed by a parametrisation"):
        found.block.load_coefficients({name: learned[name].detach()})


def test_pruned_coefficients_are_refused() -> None:
    block = case(layer(), rows=(3,)).block
    name = next(iter(block.coefficients))
    prune.l1_unstructured(block.coefficients, name, 1)
    assert f"{name}: parametrised" in repr(block)
    with pytest.raises(InputError, match=f"the coefficients '{name}' are no parameter of their block any more"):
        dict(block.coefficients.items())


def test_tables_are_made_again_on_a_device_without_them() -> None:
    found = case(layer(), rows=(3,))
    state = found.block.state_dict()
    found.block.to("meta").to_empty(device="cpu").load_state_dict(state)
    assert found.error() <= 1e-12
    for name in found.floating:
        found.tensors[name].requires_grad_()
    with torch.device("meta"):
        out = found.run()["out"]
    out.sum().backward()
    assert all(found.tensors[name].grad is not None for name in found.floating)


def test_outputs_are_not_the_coefficients_themselves() -> None:
    """A closed network is a number, so that mixes of it are their weights; whoever changes the output keeps those."""
    number = parse(
        "network[split top > a bc, split bc > b c, fuse a b > ab, fuse ab c > top; "
        "a=1e ab=1o b=1o bc=1e c=1o top=0e]().mix(->, paths=each, name=a)"
    )
    assert isinstance(number, Wire)
    declared = outputs(each=number, mixed=one().mix("->u", u=3, name="b"))
    block = fusion_compiler.compile(declared)
    before = {name: value.detach().clone() for name, value in block.coefficients.items()}
    with torch.no_grad():
        found = block()
        for value in found.values():
            assert not value.requires_grad
            value += 1
    torch.testing.assert_close(dict(block.coefficients.items()), before, rtol=0, atol=0)
    (slope,) = torch.autograd.grad(block()["mixed"].sum(), block.coefficients["b_0e"])
    assert torch.equal(slope, torch.ones_like(slope))


def test_coefficients_are_loaded_all_or_none() -> None:
    block = case(layer(), rows=(3,)).block
    first, second = list(block.coefficients)[:2]
    before = block.coefficients[first].detach().clone()
    for wrong in (torch.ones(1, 2, 3, 4, 5), torch.zeros_like(block.coefficients[second], dtype=torch.complex64), "x"):
        with pytest.raises(InputError, match=f"coefficients '{second}'"):
            block.load_coefficients({first: 0 * before, second: wrong})
        assert torch.equal(block.coefficients[first], before)
    with pytest.raises(InputError, match="must be real numbers"):
        block.load_coefficients({first: before.to("meta")})
