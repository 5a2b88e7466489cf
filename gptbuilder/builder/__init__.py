"""The page where a GPT is made: Create (a conversation with the builder GPT), Configure (a form), Preview.

Offers `tools.builder_tools`, by which the builder GPT writes the draft.
"""
