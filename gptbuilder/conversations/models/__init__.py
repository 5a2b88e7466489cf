"""Thread, Message, Run, RunStep: one file each. Import each from its own."""

from gptbuilder.conversations.models import message, run, step, thread

__all__ = ["message", "run", "step", "thread"]
