"""The learned coefficients of a block, by name."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView

from torch import Tensor, nn

from fusion.errors import InputError


class Coefficients(nn.Module):
    """A fixed set of parameters by name.

    Unlike in ``nn.ParameterDict``, whose parameters are attributes as well, every name is allowed: users may call
    coefficients ``values`` or ``training``. (``torch.export`` refuses names of attributes of ``nn.Module``.) Those that
    ``torch.nn.utils.parametrize`` took over are computed whenever they are asked for.
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter]) -> None:
        super().__init__()
        self._parameters.update(parameters)
        self._names = tuple(parameters)

    def train(self, mode: bool = True) -> Coefficients:
        """Set the mode of the module, past a parameter that may be called ``training``."""
        object.__setattr__(self, "training", mode)
        return self

    def extra_repr(self) -> str:
        """Return a line for each parameter: its name and shape."""
        shapes = ((name, self._parameters.get(name)) for name in self._names)
        return "\n".join(
            f"{name}: " + ("parametrised" if value is None else " x ".join(map(str, value.shape)))
            for name, value in shapes
        )

    @property
    def _found(self) -> dict[str, Tensor]:
        return {name: self[name] for name in self._names}

    def __getitem__(self, name: str) -> Tensor:
        held = self._parameters.get(name)
        if held is not None:
            return held
        if name not in self._names:
            raise KeyError(name)
        computed = self._modules.get("parametrizations")
        if not isinstance(computed, nn.ModuleDict) or name not in computed:
            raise InputError(
                f"the coefficients {name!r} are no parameter of their block any more; torch.nn.utils.parametrize is a "
                "way to change what they are that works"
            )
        return computed[name]()

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def keys(self) -> KeysView[str]:
        """Return the names."""
        return dict.fromkeys(self._names).keys()

    def values(self) -> ValuesView[Tensor]:
        """Return the coefficients, which are parameters where they are not parametrised."""
        return self._found.values()

    def items(self) -> ItemsView[str, Tensor]:
        """Return names and coefficients."""
        return self._found.items()
