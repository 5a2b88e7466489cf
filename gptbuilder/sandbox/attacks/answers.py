"""Answers that harm whoever reads them, and none at all. They speak on the channel themselves, past our own code."""

import os
import signal
import struct
import time
from typing import NoReturn

from gptbuilder.sandbox import frames
from gptbuilder.sandbox.attacks import Inputs, World

_CHANNEL = 3
_MEGABYTE = 1024**2


def flood_the_answer(inputs: Inputs, world: World) -> str:
    return "x" * (300 * _MEGABYTE)


def flood_the_channel(inputs: Inputs, world: World) -> None:
    """300 MB of small frames: the first one is an answer, and nobody must read the rest."""
    frame = frames.encode({"value": []})
    _say(frame * (_MEGABYTE // len(frame)), times=300)


def flood_the_output(inputs: Inputs, world: World) -> None:
    """A program's answer is what it writes."""
    for _ in range(300):
        os.write(1, b"x" * _MEGABYTE)


def flood_the_errors(inputs: Inputs, world: World) -> None:
    for _ in range(300):
        os.write(2, b"x" * _MEGABYTE)


def claim_a_huge_frame(inputs: Inputs, world: World) -> NoReturn:
    _say_and_end(struct.pack(">I", 0xFFFFFFFF) + b'{"value":1}')


def answer_too_deep(inputs: Inputs, world: World) -> NoReturn:
    _frame_and_end(b'{"value":' + b"[" * 100_000 + b"]" * 100_000 + b"}")


def answer_too_many(inputs: Inputs, world: World) -> NoReturn:
    """Three bytes each here, sixty there."""
    _frame_and_end(b'{"value":[' + b"[]," * 4_000_000 + b"[]]}")


def answer_not_a_number(inputs: Inputs, world: World) -> NoReturn:
    _frame_and_end(b'{"value":NaN}')


def answer_infinity(inputs: Inputs, world: World) -> NoReturn:
    _frame_and_end(b'{"value":1e999}')


def answer_a_giant_number(inputs: Inputs, world: World) -> NoReturn:
    """Turning digits into a number takes the square of their count."""
    _frame_and_end(b'{"value":' + b"9" * _MEGABYTE + b"}")


def answer_no_text(inputs: Inputs, world: World) -> NoReturn:
    _frame_and_end(b'{"value":"\xff\xfe"}')


def answer_half_a_character(inputs: Inputs, world: World) -> NoReturn:
    """JSON can say it, and no database or page can hold it."""
    _frame_and_end(b'{"value":"\\ud800"}')


def answer_quotes_without_end(inputs: Inputs, world: World) -> NoReturn:
    """What makes a careless search for strings take the square of the length."""
    _frame_and_end(b'{"value":"' + b'\\"' * _MEGABYTE)


def answer_something_else(inputs: Inputs, world: World) -> NoReturn:
    _frame_and_end(b'["value", 1]')


def answer_a_pickle(inputs: Inputs, world: World) -> NoReturn:
    """`os.system`, if somebody unpickled it."""
    _frame_and_end(b"cposix\nsystem\n(S'true'\ntR.")


def answer_half_a_frame(inputs: Inputs, world: World) -> NoReturn:
    _say_and_end(struct.pack(">I", 100) + b'{"value":')


def end_without_an_answer(inputs: Inputs, world: World) -> NoReturn:
    os._exit(0)


def crash(inputs: Inputs, world: World) -> NoReturn:
    os.abort()


def crash_in_native_code(inputs: Inputs, world: World) -> str:
    import ctypes

    return str(ctypes.string_at(1))


def overflow_the_stack(inputs: Inputs, world: World) -> str:
    import pickle

    nested: object = []
    for _ in range(100_000):
        nested = [nested]
    return str(len(pickle.dumps(nested))) + repr(nested)


def end_by_exception(inputs: Inputs, world: World) -> NoReturn:
    """Its text is a hundred megabytes."""
    raise ValueError("x" * (100 * _MEGABYTE))


def exit_politely(inputs: Inputs, world: World) -> NoReturn:
    raise SystemExit(0)


def hang_up_and_go_on(inputs: Inputs, world: World) -> NoReturn:
    os.close(_CHANNEL)
    os.close(2)
    while True:
        time.sleep(1000)


def answer_and_go_on(inputs: Inputs, world: World) -> NoReturn:
    """An orphan, if nobody ends it."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _say(frames.encode({"value": []}))
    while True:
        time.sleep(1000)


def _frame_and_end(body: bytes) -> NoReturn:
    _say_and_end(struct.pack(">I", len(body)) + body)


def _say_and_end(data: bytes) -> NoReturn:
    _say(data)
    os._exit(0)


def _say(data: bytes, times: int = 1) -> None:
    for _ in range(times):
        view = memoryview(data)
        while view:
            view = view[os.write(_CHANNEL, view) :]
