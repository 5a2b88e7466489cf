"""A job that does nothing, to see whether jobs run at all and how long one takes."""

from typing import Any, BinaryIO


def echo(inputs: dict[str, BinaryIO], word: Any) -> Any:
    return word
