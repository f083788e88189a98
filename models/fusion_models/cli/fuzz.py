"""The command ``fuzz``."""


def fuzz() -> None:
    """placeholder"""
