"""Threads and runs: the imperative shell around the agent.

A person's message starts a run (`turns`); a worker executes it (`execution`), records it (`recorder`) and
streams it (`stream`); the page follows (`events`); the `reaper` takes up what a dead worker left.
"""
