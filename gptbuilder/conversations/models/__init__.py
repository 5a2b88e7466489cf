"""One file for each: Thread, Message, Run, RunStep, Share, Feedback, QueuedMessage, Attachment, ThreadFile. Import each
from its own."""

from gptbuilder.conversations.models import attachment, feedback, message, queued, run, share, step, thread, thread_file

__all__ = ["attachment", "feedback", "message", "queued", "run", "share", "step", "thread", "thread_file"]
