"""Streams from a real loopback server: text, tool calls, usage, failures, closing."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import Any

import pytest

from gptbuilder.gateway import chat
from gptbuilder.gateway.chat import ChatStream
from gptbuilder.gateway.errors import (
    Broken,
    Closed,
    Garbage,
    GatewayError,
    RateLimited,
    Refused,
    TimedOut,
    Unreachable,
)
from gptbuilder.gateway.types import (
    AssistantMessage,
    ChatRequest,
    Completion,
    Image,
    ModelEntry,
    Provider,
    SystemMessage,
    TextDelta,
    ToolCall,
    ToolMessage,
    ToolSpec,
    Usage,
    UserMessage,
)
from tests import upstream as replies
from tests.gateway.conftest import KEY
from tests.upstream import Die, Hang, Json, ScriptedUpstream, Status, Text, ToolCalls

HELLO = ChatRequest((SystemMessage("Be brief."), UserMessage("Say hello")))
WEATHER = ToolSpec("weather", "The weather of a city.", {"type": "object", "properties": {"city": {"type": "string"}}})


def events(*chunks: dict[str, Any] | str, separator: str = "\n\n") -> bytes:
    """A stream's body, exactly as given."""
    lines = (f"data: {chunk if isinstance(chunk, str) else json.dumps(chunk)}" for chunk in chunks)
    return "".join(line + separator for line in lines).encode()


def delta(content: str | None = None, finish_reason: str | None = None, **more: Any) -> dict[str, Any]:
    return replies.chunk({**({} if content is None else {"content": content}), **more}, finish_reason)


def answer_to(upstream: ScriptedUpstream, entry: ModelEntry, *body: bytes) -> Completion:
    upstream.script(replies.Garbage(body))
    return chat.complete(entry, HELLO)


# --- answers


def test_an_answer_is_text_deltas_and_then_one_completion(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    upstream.script(Text("Hello there, Ada."))

    with chat.stream(entry, HELLO) as stream:
        *deltas, last = stream

    assert "".join(part.text for part in deltas if isinstance(part, TextDelta)) == "Hello there, Ada."
    assert last == Completion("Hello there, Ada.", (), "stop", Usage(4, 3), None, "scripted")


def test_deltas_after_the_first_come_in_batches(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    upstream.script(Text(" ".join(["word"] * 300), token_delay=0.001))

    with chat.stream(entry, HELLO) as stream:
        *deltas, last = stream

    assert isinstance(last, Completion)
    assert last.usage.output_tokens == 300
    assert 2 <= len(deltas) < 150


def test_the_first_delta_does_not_wait_for_the_rest(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    upstream.script(Hang(after=1))

    with chat.stream(entry, HELLO) as stream:
        assert next(stream) == TextDelta("word0 ")


def test_what_the_caller_left_unsaid_is_not_sent(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    chat.complete(entry, HELLO)

    assert upstream.requests == [
        {
            "model": "scripted",
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say hello"}],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ]
    assert upstream.headers[0]["authorization"] == f"Bearer {KEY}"


def test_a_request_is_sent_with_all_that_the_caller_said(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    request = replace(
        HELLO,
        tools=(WEATHER,),
        tool_choice="weather",
        response_schema={"type": "object"},
        seed=7,
        temperature=0.5,
        max_tokens=100,
        logprobs=True,
        top_logprobs=2,
        stop=("END",),
    )

    completion = chat.complete(entry, request)

    body = upstream.requests[0]
    assert body["tools"][0]["function"]["parameters"] == WEATHER.parameters
    assert body["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert (body["seed"], body["temperature"], body["max_tokens"]) == (7, 0.5, 100)
    assert (body["logprobs"], body["top_logprobs"], body["stop"]) == (True, 2, ["END"])
    assert completion.logprobs is not None
    assert completion.logprobs[0]["logprob"] == -0.1


def test_a_history_with_tools_and_pictures_keeps_its_shape(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    messages = (
        UserMessage("What is this?", (Image("image/png", b"\x89PNG"),)),
        AssistantMessage("", (ToolCall("call_1", "look", '{"x": 1}'), ToolCall("call_2", "look", "{broken"))),
        ToolMessage("call_1", "look", "a cat"),
    )

    chat.complete(entry, ChatRequest(messages))

    question, calls, result = upstream.requests[0]["messages"]
    assert question["content"][1]["image_url"]["url"] == "data:image/png;base64,iVBORw=="
    assert calls["tool_calls"][0]["function"] == {"name": "look", "arguments": '{"x": 1}'}
    assert json.loads(calls["tool_calls"][1]["function"]["arguments"]) == {"invalid": "{broken"}
    assert result == {"role": "tool", "tool_call_id": "call_1", "content": "a cat"}


def test_a_structured_answer_arrives_as_its_text(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    upstream.script(Json({"name": "旅行"}))

    completion = chat.complete(entry, replace(HELLO, json_mode=True))

    assert json.loads(completion.text) == {"name": "旅行"}
    assert upstream.requests[0]["response_format"] == {"type": "json_object"}


def test_connections_are_used_again(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    for _ in range(3):
        chat.complete(entry, HELLO)
        assert upstream.wait_for_open_connections(0)
        chat.models(entry.provider)

    assert upstream.connections <= 2


# --- tool calls


def test_parallel_tool_calls_are_put_together_by_their_index(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    upstream.script(ToolCalls([("weather", {"city": "Paris"}), ("weather", {"city": "北京"})], text="Let me look."))

    completion = chat.complete(entry, replace(HELLO, tools=(WEATHER,)))

    assert completion.finish_reason == "tool_calls"
    assert completion.text == "Let me look."
    assert [json.loads(call.arguments) for call in completion.tool_calls] == [{"city": "Paris"}, {"city": "北京"}]


def test_calls_without_ids_or_indices_are_told_apart(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    first = {"function": {"name": "weather", "arguments": '{"city": "Paris"}'}}
    second = {"function": {"name": "weather", "arguments": {"city": "Rome"}}}

    completion = answer_to(upstream, entry, events(delta(tool_calls=[first, second]), delta(None, "stop"), "[DONE]"))

    assert [json.loads(call.arguments)["city"] for call in completion.tool_calls] == ["Paris", "Rome"]
    assert len({call.id for call in completion.tool_calls}) == 2
    assert completion.finish_reason == "tool_calls"


def test_calls_that_all_claim_index_zero_are_told_apart_by_their_ids(
    upstream: ScriptedUpstream, entry: ModelEntry
) -> None:
    def call(id: str) -> dict[str, Any]:
        return delta(tool_calls=[{"index": 0, "id": id, "function": {"name": "weather", "arguments": "{}"}}])

    completion = answer_to(upstream, entry, events(call("a"), call("b"), delta(None, "tool_calls"), "[DONE]"))

    assert [call.id for call in completion.tool_calls] == ["a", "b"]


def test_a_repeated_name_does_not_begin_another_call(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    def call(piece: str) -> dict[str, Any]:
        return delta(tool_calls=[{"index": 0, "id": "a", "function": {"name": "weather", "arguments": piece}}])

    completion = answer_to(upstream, entry, events(call('{"x"'), call(": 1}"), delta(None, "tool_calls"), "[DONE]"))

    assert completion.tool_calls == (ToolCall("a", "weather", '{"x": 1}'),)


def test_a_filtered_answer_calls_no_tools(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    call = {"index": 0, "id": "a", "function": {"name": "weather", "arguments": "{}"}}

    completion = answer_to(upstream, entry, events(delta(tool_calls=[call]), delta(None, "content_filter"), "[DONE]"))

    assert completion.tool_calls == ()
    assert completion.finish_reason == "content_filter"


# --- sloppy upstreams


@pytest.mark.parametrize(
    "body",
    [
        events(delta("Hi"), delta(None, "stop")),
        events(delta("Hi"), "[DONE]"),
        events(delta("Hi"), delta(None, "eos"), "[DONE]", separator="\r\n\r\n"),
        events(delta("Hi"), delta(None, "stop"), "[DONE]", separator="\n"),
        b": keep-alive\n\nevent: message\nretry: 3\n" + events(delta("Hi", "stop"), "[DONE]"),
        events(delta(role="assistant"), {"choices": []}, delta("Hi", "stop"), "[DONE]").replace(b"data: ", b"data:"),
        events(delta("Hi", "stop")).rstrip(),
        events(delta("Hi", "stop"), {**delta("second choice"), "choices": [{"index": 1, "delta": {"content": "no"}}]}),
    ],
    ids=[
        "no end mark", "no finish reason", "CRLF", "no blank lines", "comments", "no spaces", "no last newline",
        "other choices",
    ],
)  # fmt: skip
def test_a_sloppy_stream_is_understood(upstream: ScriptedUpstream, entry: ModelEntry, body: bytes) -> None:
    completion = answer_to(upstream, entry, body)

    assert (completion.text, completion.finish_reason) == ("Hi", "stop")


def test_characters_may_be_cut_anywhere(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    chunk = json.dumps(delta("你好 🌍"), ensure_ascii=False)
    body = events(chunk, delta(None, "stop"), "[DONE]")

    completion = answer_to(upstream, entry, *(body[at : at + 1] for at in range(len(body))))

    assert completion.text == "你好 🌍"


def test_halves_of_an_emoji_in_two_chunks_are_joined(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    completion = answer_to(
        upstream, entry, events(delta("a\ud83c"), delta("\udf0d b"), delta("\ud83c"), delta(None, "stop"), "[DONE]")
    )

    assert completion.text == "a🌍 b"


def test_what_a_database_cannot_hold_is_left_out(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    completion = answer_to(upstream, entry, events(delta("a\0b \udf0d c"), delta(None, "stop"), "[DONE]"))

    assert completion.text == "ab � c"


def test_an_unstreamed_answer_is_understood(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    whole = replies.whole(Text("Not streamed."), {"messages": []})

    completion = answer_to(upstream, entry, b" \n", json.dumps(whole, indent=1).encode())

    assert completion.text == "Not streamed."
    assert completion.usage == Usage(0, 2)


def test_a_reasoning_models_thoughts_are_not_its_answer(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    completion = answer_to(
        upstream, entry, events(delta(reasoning_content="Hmm."), delta("Yes."), delta(None, "stop"), "[DONE]")
    )

    assert completion.text == "Yes."


def test_tokens_are_estimated_when_the_upstream_does_not_count_them(
    upstream: ScriptedUpstream, entry: ModelEntry
) -> None:
    upstream.script(Text("Eight letters", usage=False))

    completion = chat.complete(entry, HELLO)

    assert completion.usage == Usage(5, 4, estimated=True)


def test_an_upstream_that_refuses_to_count_tokens_is_asked_without(
    upstream: ScriptedUpstream, entry: ModelEntry
) -> None:
    upstream.script(Status(400, body={"error": {"message": "Unknown parameter: stream_options"}}), Text("Hello"))

    completion = chat.complete(entry, HELLO)
    chat.complete(entry, HELLO)

    assert completion.usage.estimated
    assert ["stream_options" in request for request in upstream.requests] == [True, False, False]


def test_an_upstream_that_wants_another_word_for_the_limit_gets_it(
    upstream: ScriptedUpstream, entry: ModelEntry
) -> None:
    upstream.script(Status(400, body={"error": {"message": "Use 'max_completion_tokens' instead."}}), Text("Hello"))

    chat.complete(entry, replace(HELLO, max_tokens=5))

    assert upstream.requests[1]["max_completion_tokens"] == 5
    assert "max_tokens" not in upstream.requests[1]


# --- failures


def refusal(upstream: ScriptedUpstream, entry: ModelEntry, status: int, error: Any) -> Refused:
    upstream.script(Status(status, body={"error": error}))
    with pytest.raises(Refused) as caught:
        chat.complete(entry, HELLO)
    return caught.value


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (400, {"message": "Bad value"}, "refused"),
        (401, {"message": f"Incorrect API key: {KEY}"}, "unauthorized"),
        (403, {"message": "No access"}, "unauthorized"),
        (404, {"message": "The model `x` does not exist", "code": "model_not_found"}, "model_missing"),
        (400, {"message": "model 'x' not found"}, "model_missing"),
        (400, {"message": "Too many tokens", "code": "context_length_exceeded"}, "too_long"),
        (400, {"message": "request (9000 tokens) exceeds the available context size (8192 tokens), try increasing it",
               "type": "exceed_context_size_error", "code": 400}, "too_long"),
        (400, "just words", "refused"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_was_wrong(
    upstream: ScriptedUpstream, entry: ModelEntry, status: int, error: Any, code: str
) -> None:
    refused = refusal(upstream, entry, status, error)

    assert (refused.code, refused.status) == (code, status)
    assert len(upstream.requests) == 1


def test_no_error_ever_holds_the_key(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    refused = refusal(upstream, entry, 400, {"message": f"You sent {KEY} to me"})

    assert KEY not in f"{refused!r} {refused} {refused.message} {refused.__dict__}"
    assert refused.__context__ is None
    assert KEY not in repr(entry)


def test_a_busy_upstream_is_asked_again(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    upstream.script(Status(503), Status(429, {"Retry-After": "0"}), Text("Here now."))

    completion = chat.complete(entry, HELLO)

    assert completion.text == "Here now."
    assert len(upstream.requests) == 3


def test_an_upstream_that_stays_busy_is_given_up(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    upstream.script(Status(500), Status(502), Status(503))

    with pytest.raises(Unreachable) as caught:
        chat.complete(entry, HELLO)

    assert caught.value.status == 503
    assert len(upstream.requests) == 3


@pytest.mark.parametrize("wait", ["3600", "Fri, 31 Dec 2099 23:59:59 GMT"])
def test_an_upstream_that_asks_for_a_long_wait_is_told_of_at_once(
    upstream: ScriptedUpstream, entry: ModelEntry, wait: str
) -> None:
    upstream.script(Status(429, {"Retry-After": wait}))

    with pytest.raises(RateLimited) as caught:
        chat.complete(entry, HELLO)

    assert caught.value.retry_after is not None
    assert caught.value.retry_after >= 3600
    assert len(upstream.requests) == 1


def test_a_retry_date_in_the_past_means_now(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    upstream.script(Status(429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), Text("Here now."))

    assert chat.complete(entry, HELLO).text == "Here now."


def test_a_connection_that_dies_before_the_answer_is_made_again(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    upstream.script(Die(0), Text("Here now."))

    assert chat.complete(entry, HELLO).text == "Here now."


def test_an_endpoint_that_does_not_listen_is_unreachable(entry: ModelEntry) -> None:
    nowhere = replace(entry, provider=Provider("http://127.0.0.1:9/v1", KEY, max_retries=0))

    with pytest.raises(Unreachable):
        chat.complete(nowhere, HELLO)


@pytest.mark.parametrize(
    "url", ["", "nonsense", "http://", "ftp://example.org/v1", "http://[::1", "http://name.invalid/v1"]
)
def test_an_address_that_makes_no_sense_is_a_gateway_error(entry: ModelEntry, url: str) -> None:
    with pytest.raises(GatewayError):
        chat.complete(replace(entry, provider=Provider(url, KEY, max_retries=0)), HELLO)


def test_a_stream_that_dies_in_the_middle_is_broken_and_not_begun_again(
    upstream: ScriptedUpstream, entry: ModelEntry
) -> None:
    upstream.script(Die(after=3))

    with chat.stream(entry, HELLO) as stream:
        assert next(stream) == TextDelta("word0 word1 word2 ")
        with pytest.raises(Broken):
            list(stream)

    assert len(upstream.requests) == 1


def test_a_stream_that_ends_without_an_end_is_broken(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    with pytest.raises(Broken):
        answer_to(upstream, entry, events(delta("Half an")))


def test_an_error_inside_a_stream_before_the_answer_counts_like_a_status(
    upstream: ScriptedUpstream, entry: ModelEntry
) -> None:
    upstream.script(
        replies.Garbage(events({"error": {"message": "overloaded", "code": 503}})),
        replies.Garbage(events({"error": {"message": "too long", "code": "context_length_exceeded", "status": 400}})),
    )

    with pytest.raises(Refused) as caught:
        chat.complete(entry, HELLO)

    assert caught.value.code == "too_long"
    assert len(upstream.requests) == 2


def test_an_error_inside_an_answer_breaks_it(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    with pytest.raises(Broken) as caught:
        answer_to(upstream, entry, events(delta("Half"), {"error": {"message": f"gone, {KEY}"}}))

    assert str(caught.value) == "gone, …"


@pytest.mark.parametrize(
    "body",
    [
        b"<html><body>Hello</body></html>",
        b"",
        b"data: {not json\n\n",
        b"data: [1, 2]\n\n",
        b'{"choices": "none"}',
        b'{"half": ',
        events({"choices": [{"delta": {"content": 5}}]}),
        events({"choices": [{"delta": {"tool_calls": "all"}}]}),
        b"data: " + b"[" * 100_000 + b"\n\n",
        b"data: \xff\xfe\n\n",
    ],
)
def test_what_is_not_the_protocol_is_garbage(upstream: ScriptedUpstream, entry: ModelEntry, body: bytes) -> None:
    with pytest.raises(Garbage):
        answer_to(upstream, entry, body)


def test_an_answer_without_end_is_garbage(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    piece = events(delta("x" * 100_000))

    with pytest.raises(Garbage):
        answer_to(upstream, entry, *[piece] * 30)


def test_a_line_without_end_is_garbage(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    with pytest.raises(Garbage):
        answer_to(upstream, entry, b"data: ", *[b"x" * 500_000] * 12)


def test_a_server_that_does_not_speak_http_is_garbage(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    upstream.statuses["/v1/chat/completions"] = 99

    with pytest.raises(GatewayError):
        chat.complete(entry, HELLO)


# --- timeouts


def test_a_model_that_never_begins_times_out(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    upstream.script(Hang("before_first"))
    hasty = replace(entry, provider=replace(entry.provider, first_token_timeout_seconds=0.05))

    with pytest.raises(TimedOut) as caught:
        chat.complete(hasty, HELLO)

    assert caught.value.phase == "first_token"
    assert upstream.wait_for_open_connections(0)


def test_a_model_that_falls_silent_times_out(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    upstream.script(Hang(after=2))
    hasty = replace(entry, provider=replace(entry.provider, idle_timeout_seconds=0.1))

    with chat.stream(hasty, HELLO) as stream:
        next(stream)
        with pytest.raises(TimedOut) as caught:
            list(stream)

    assert caught.value.phase == "idle"
    assert upstream.wait_for_open_connections(0)


def test_a_first_token_may_take_longer_than_the_idle_timeout(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    upstream.script(Text("Late.", first_delay=0.3))
    patient = replace(entry, provider=replace(entry.provider, idle_timeout_seconds=0.1, connect_timeout_seconds=0.1))

    assert chat.complete(patient, HELLO).text == "Late."


def test_a_model_that_goes_on_is_given_its_time_anew(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    upstream.script(Text("On and on and on and on it goes", token_delay=0.15))
    hasty = replace(entry, provider=replace(entry.provider, idle_timeout_seconds=0.6))

    assert chat.complete(hasty, HELLO).text == "On and on and on and on it goes"


# --- closing


def closed_from_another_thread(stream: ChatStream) -> None:
    thread = threading.Thread(target=stream.close)
    thread.start()
    thread.join()


def test_closing_a_stream_closes_the_upstream(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    upstream.script(Hang(after=2))
    stream = chat.stream(entry, HELLO)
    next(stream)
    assert upstream.open_connections == 1

    closed_from_another_thread(stream)

    assert upstream.wait_for_open_connections(0)
    assert upstream.connections == 0
    with pytest.raises(Closed):
        next(stream)


def test_closing_wakes_a_thread_that_waits_for_the_answer(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    upstream.script(Hang("before_first"))
    stream = chat.stream(entry, HELLO)
    assert upstream.wait_for_open_connections(1)
    outcome: list[BaseException] = []

    def wait() -> None:
        try:
            next(stream)
        except GatewayError as error:
            outcome.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    stream.close()
    waiting.join(10)

    assert isinstance(outcome[0], Closed)
    assert upstream.wait_for_open_connections(0)


def test_a_stream_may_be_closed_before_it_connects_and_more_than_once(
    upstream: ScriptedUpstream, entry: ModelEntry
) -> None:
    stream = chat.stream(entry, HELLO)

    stream.close()
    stream.close()

    with pytest.raises(Closed):
        next(stream)
    assert upstream.wait_for_open_connections(0)


def test_a_stream_closed_between_two_attempts_makes_no_other(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    upstream.script(Status(429, {"Retry-After": "20"}))
    stream = chat.stream(entry, HELLO)
    assert upstream.wait_for_requests(1)

    stream.close()

    with pytest.raises(Closed):
        next(stream)
    assert len(upstream.requests) == 1


def test_leaving_the_context_early_closes_the_upstream(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    upstream.script(Hang(after=1))

    with chat.stream(entry, HELLO) as stream:
        next(stream)

    assert upstream.wait_for_open_connections(0)


def test_a_finished_stream_stays_finished(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    stream = chat.stream(entry, HELLO)
    list(stream)

    stream.close()

    assert list(stream) == []


def test_many_streams_at_once_do_not_mix(upstream: ScriptedUpstream, entry: ModelEntry) -> None:
    upstream.default = lambda body: Text(f"Answer to {body['messages'][0]['content']}", token_delay=0.01)
    questions = [f"question {number}" for number in range(100)]
    streams = [chat.stream(entry, ChatRequest((UserMessage(question),))) for question in questions]

    answers = [list(stream)[-1] for stream in streams]

    assert [answer.text for answer in answers] == [f"Answer to {question}" for question in questions]


# --- the provider itself


def test_a_provider_lists_its_models(upstream: ScriptedUpstream, provider: Provider) -> None:
    upstream.models = ["one", "two"]

    assert chat.models(provider) == ["one", "two"]


def test_a_provider_is_ready_when_it_answers(upstream: ScriptedUpstream, provider: Provider) -> None:
    assert chat.is_ready(provider)


def test_a_model_that_is_still_loading_is_not_ready(upstream: ScriptedUpstream, provider: Provider) -> None:
    upstream.statuses["/health"] = 503

    assert not chat.is_ready(provider)


def test_a_provider_that_is_not_there_or_refuses_us_is_not_ready(
    upstream: ScriptedUpstream, provider: Provider
) -> None:
    upstream.statuses["/v1/models"] = 401

    assert not chat.is_ready(provider)
    assert not chat.is_ready(Provider("http://127.0.0.1:9/v1", ""))
