"""Talks with language models over the OpenAI protocol, and with nothing else.

`chat.stream` answers one request, `model.ChatModel` is a model for the agent loop, `types` holds the
values, `errors` what can go wrong, and `network.run_coroutine` lends the process's one event loop.
"""
