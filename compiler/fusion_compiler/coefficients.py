"""The learned coefficients of a block, by name."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView

from torch import nn


class Coefficients(nn.Module):
    """A fixed set of parameters by name.

    Unlike in ``nn.ParameterDict``, whose parameters are attributes as well, every name is allowed: users may call
    coefficients ``values`` or ``training``. (``torch.export`` refuses names of attributes of ``nn.Module``.)
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter]) -> None:
        super().__init__()
        self._parameters.update(parameters)

    def train(self, mode: bool = True) -> Coefficients:
        """Set the mode of the module, past a parameter that may be called ``training``."""
        object.__setattr__(self, "training", mode)
        return self

    def extra_repr(self) -> str:
        """Return a line for each parameter: its name and shape."""
        return "\n".join(f"{name}: {' x '.join(map(str, value.shape))}" for name, value in self.items())

    @property
    def _found(self) -> dict[str, nn.Parameter]:
        return {name: value for name, value in self._parameters.items() if value is not None}

    def __getitem__(self, name: str) -> nn.Parameter:
        return self._found[name]

    def __contains__(self, name: object) -> bool:
        return name in self._parameters

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __len__(self) -> int:
        return len(self._parameters)

    def keys(self) -> KeysView[str]:
        """Return the names."""
        return self._found.keys()

    def values(self) -> ValuesView[nn.Parameter]:
        """Return the parameters."""
        return self._found.values()

    def items(self) -> ItemsView[str, nn.Parameter]:
        """Return names and parameters."""
        return self._found.items()
