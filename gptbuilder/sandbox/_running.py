"""One job from its request to its verdict, on a running fork server."""

import os
import signal
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, assert_never

from gptbuilder.sandbox import frames
from gptbuilder.sandbox._exchange import LAST_WORDS_SECONDS, Exchange, NotCaged, TimeUp, TooMuch
from gptbuilder.sandbox._inmate import NO_MEMORY_STATUS
from gptbuilder.sandbox._keeper import ForkServer, ServerGone
from gptbuilder.sandbox.jobs import Failed, Finished, Job, Limits, Program

# A C library that gets no memory ends itself in one of these ways.
_NO_MEMORY_SIGNALS = (signal.SIGABRT, signal.SIGSEGV, signal.SIGILL, signal.SIGTRAP, signal.SIGBUS)
_NO_MEMORY_WORDS = (
    b"memory allocation",
    b"bad_alloc",
    b"out of memory",
    b"Cannot allocate memory",
    b"failed to map",
    b"MemoryError",
)


def run_on(server: ForkServer, job: Job | Program, limits: Limits) -> Finished | Failed:
    """Raises ServerGone when the job has not begun and another server may take it; OSError for an unreadable input."""
    began = time.monotonic()
    with ExitStack() as opened:
        inputs = []
        for path in _inputs(job):
            inputs.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
            opened.callback(os.close, inputs[-1])
        exchange = opened.enter_context(Exchange(server, _order(job, limits), inputs))
        try:
            return _converse(exchange, job, limits, began)
        except frames.TooLong as error:
            return Failed("output", str(error))
        except TooMuch:
            return Failed("output", "its standard error had no end")
        except frames.BadFrame as error:
            return Failed("crashed", f"its answer was not accepted: {error}")
        except NotCaged as error:
            return Failed("refused", f"it could not be caged: {error}")
        except TimeUp:
            exchange.end()
            if not exchange.is_over:
                # Whoever should have ended it does not react, and would not take another job.
                server.kill()
            return Failed("time", f"it took longer than {limits.wall_seconds:g} s")


def _inputs(job: Job | Program) -> list[Path]:
    match job:
        case Job():
            return list(job.inputs.values())
        case Program():
            return [] if job.stdin is None else [job.stdin]
        case _:
            assert_never(job)


def _order(job: Job | Program, limits: Limits) -> dict[str, Any]:
    order: dict[str, Any] = {"limits": asdict(limits), "inputs": [], "program": None}
    match job:
        case Job():
            order["inputs"] = list(job.inputs)
        case Program():
            order["program"] = {
                "path": job.path,
                "arguments": job.arguments,
                "environment": {"OMP_THREAD_LIMIT": "1", **job.environment},
            }
    return order


def _converse(exchange: Exchange, job: Job | Program, limits: Limits, began: float) -> Finished | Failed:
    deadline = began + limits.wall_seconds
    match job:
        case Job():
            exchange.send(frames.encode({"entry": job.entry, "arguments": job.arguments}))
            said = _one_frame(exchange, limits, deadline)
        case Program():
            said = _everything(exchange, limits, deadline)
    if isinstance(job, Job) and said is not None:
        return _taken(said, exchange.end(), time.monotonic() - began)
    # It said no more, but may still be at work; a program may close its output early.
    patience = deadline - time.monotonic() if isinstance(job, Program) else LAST_WORDS_SECONDS
    ending = exchange.end(max(0.0, min(patience, deadline - time.monotonic())))
    if exchange.trouble is not None:
        raise NotCaged(exchange.trouble)
    if ending is None and not exchange.caged:
        raise ServerGone("the fork server ended before the job began")
    if exchange.cut_short and time.monotonic() >= deadline:
        raise TimeUp
    if exchange.cut_short:
        return Failed("crashed", "it closed its answer and went on")
    if isinstance(job, Program) and ending and ending["exit"] == 0:
        return Finished(said, time.monotonic() - began, ending["peak_bytes"])
    return _failure(ending, exchange.error_text, limits)


def _one_frame(exchange: Exchange, limits: Limits, deadline: float) -> bytes | None:
    reader = frames.FrameReader(limits.output_bytes)
    while piece := exchange.receive(deadline):
        if (frame := reader.feed(piece)) is not None:
            return frame
    return None


def _everything(exchange: Exchange, limits: Limits, deadline: float) -> bytes:
    pieces = bytearray()
    while piece := exchange.receive(deadline):
        pieces += piece
        if len(pieces) > limits.output_bytes:
            raise frames.TooLong(f"more output than {limits.output_bytes:,} bytes")
    return bytes(pieces)


def _taken(frame: bytes, ending: Mapping[str, Any] | None, seconds: float) -> Finished | Failed:
    answer = frames.decode(frame)
    peak_bytes = ending["peak_bytes"] if ending else 0
    match answer:
        case {"value": value}:
            return Finished(value, seconds, peak_bytes)
        case {"failed": str(detail)}:
            return Failed("crashed", detail)
    raise frames.BadFrame("it is no answer")


def _failure(ending: Mapping[str, Any] | None, errors: bytes, limits: Limits) -> Failed:
    text = errors.decode(errors="replace").strip()
    if ending is None:
        return Failed("crashed", "the cage was ended from outside")
    if ending["signal"] is None:
        without_memory = ending["exit"] == NO_MEMORY_STATUS or (ending["exit"] and _tells_of_memory(errors))
        return Failed(
            "memory" if without_memory else "crashed", f"it ended with status {ending['exit']} {text}".strip()
        )
    number = ending["signal"]
    detail = f"it was ended by {signal.Signals(number).name} {text}".strip()
    if number in (signal.SIGKILL, signal.SIGXCPU) and ending["cpu_seconds"] >= limits.cpu_seconds - 0.5:
        return Failed("time", f"it computed longer than {limits.cpu_seconds} s")
    near_limit = ending["peak_bytes"] > limits.memory_bytes * 0.8
    if (number in _NO_MEMORY_SIGNALS and (near_limit or _tells_of_memory(errors))) or (
        number == signal.SIGKILL and near_limit
    ):
        return Failed("memory", detail)
    return Failed("crashed", detail)


def _tells_of_memory(errors: bytes) -> bool:
    return any(words in errors for words in _NO_MEMORY_WORDS)
