"""The agent: ask the model, run the tools it asks for, repeat. Pure; knows no database, queue or clock.

`loop.run` yields the events of `events.py`; a new power is a `tool.Tool`, never a change of the loop.
"""
