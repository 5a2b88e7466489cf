"""Frames of somebody hostile are refused by their size, their depth or their JSON, before they cost much."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptbuilder.sandbox import frames
from gptbuilder.sandbox.frames import BadFrame, FrameReader, TooLong

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NUMBER = st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


def body(value: object) -> bytes:
    return frames.encode(value)[frames.HEADER.size :]


@given(JSON)
def test_what_was_encoded_is_decoded(value):
    assert frames.decode(body(value)) == value


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=5), st.data())
def test_frames_are_put_together_from_any_pieces(bodies, data):
    stream = b"".join(frames.HEADER.pack(len(each)) + each for each in bodies)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    reader = FrameReader(50)

    found = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        frame = reader.feed(stream[start:end])
        while frame is not None:
            found.append(frame)
            frame = reader.feed(b"")

    assert found == bodies


def test_a_frame_that_says_it_is_too_long_is_refused_by_its_first_four_bytes():
    with pytest.raises(TooLong, match="4,294,967,295 bytes, 1,000 were allowed"):
        FrameReader(1000).feed(b"\xff\xff\xff\xff")


def test_half_a_frame_is_no_frame():
    assert FrameReader(1000).feed(frames.encode("word")[:-1]) is None


@pytest.mark.parametrize(
    "bad",
    [
        b"", b"NaN", b"[Infinity]", b"-1e999", b"\xff", b"\xef\xbb\xbf1", b'"\\ud800"', b'"\\uDFFF"', b"'x'", b"{1:2}",
        b"[1,]", b'"x', b'"\\', b"9" * 10_000, b"cos\nsystem\n(S'true'\ntR.", b"1 2",
    ],
)  # fmt: skip
def test_what_is_no_strict_json_is_refused(bad):
    with pytest.raises(BadFrame):
        frames.decode(bad)


def test_depth_is_bounded_and_brackets_in_strings_do_not_count():
    deepest = b"[" * frames.DEEPEST + b"]" * frames.DEEPEST
    text = '"[' * 1000 + "\\" * 3

    assert frames.decode(deepest)
    assert frames.decode(body([text])) == [text]
    with pytest.raises(BadFrame, match="nested deeper than 64"):
        frames.decode(b"[" + deepest + b"]")


def test_the_number_of_values_is_bounded_and_commas_in_strings_do_not_count():
    many = b"[" + b"[]," * (frames.MOST_VALUES // 2) + b"[]]"

    assert len(frames.decode(body(["," * (2 * frames.MOST_VALUES)])[:])) == 1
    with pytest.raises(BadFrame, match="more than 1,000,000 values"):
        frames.decode(many)
    with pytest.raises(BadFrame, match="more than 1,000,000 values"):
        frames.decode(b'[""' + b',""' * (3 * frames.MOST_VALUES) + b"]")


@pytest.mark.parametrize("unit", [b'\\"', b"\\\\", b'"', b'"\\', b"[]", b'"",'])
def test_a_hostile_frame_costs_a_small_multiple_of_its_size(unit):
    frame = b'"' + unit * (2_000_000 // len(unit))
    tracemalloc.start()

    with pytest.raises(BadFrame):
        frames.decode(frame)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50 * len(frame)


@pytest.mark.parametrize("unspeakable", [float("nan"), float("inf"), "\ud800", {1, 2}])
def test_what_json_cannot_say_is_not_encoded(unspeakable):
    with pytest.raises((ValueError, TypeError)):
        frames.encode(unspeakable)
