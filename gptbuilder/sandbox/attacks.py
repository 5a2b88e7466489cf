"""What a hostile job tries, as functions that run in the cage."""

from typing import Any, BinaryIO

Inputs = dict[str, BinaryIO]


def echo(inputs: Inputs, word: Any) -> Any:
    return word


def contents(inputs: Inputs) -> dict[str, str]:
    return {name: file.read().decode() for name, file in inputs.items()}
