"""Why a run ended without a whole answer, in a sentence that says what to do."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from gptbuilder.conversations.models.run import Run

BY_CODE = {
    "unreachable": _("The language model cannot be reached just now. Try again in a moment."),
    "unauthorized": _("The language model refuses this server's key. Its administrator has to correct it."),
    "model_missing": _(
        "The language model this server asks for does not exist there. Its administrator has to correct it."
    ),
    "refused": _("The language model refused this request. Try to say it differently."),
    "too_long": _("This conversation is too long for the language model. Start a new chat."),
    "rate_limited": _("The language model is asked too much just now. Try again in a minute."),
    "timed_out": _("The language model took too long. Try again."),
    "garbage": _("The language model answered with something that cannot be understood. Try again."),
    "broken": _("The connection to the language model broke in the middle of the answer. Try again."),
    "lost": _("This server was interrupted while it wrote the answer. Try again."),
    "restored": _("The server was brought back from a backup while this answer was being written. Try again."),
    "length": _("The answer reached the length limit and stops here."),
    "content_filter": _("The language model's provider stopped this answer because of its content rules."),
    "too_many_steps": _("The GPT used its tools too many times without coming to an end."),
    "internal": _("Something went wrong on this server. Try again; its administrator finds the reason in the log."),
}


def failure(run: Run) -> str:
    """The sentence for a run that did not complete; empty for one that did or goes on."""
    if run.status == Run.Status.CANCELLED:
        return str(_("You stopped this answer."))
    if run.status == Run.Status.EXPIRED:
        return str(_("It asked you something and nobody answered in time. Ask again if you still want it."))
    if run.status in (Run.Status.FAILED, Run.Status.INCOMPLETE):
        return str(BY_CODE.get(run.error_code, BY_CODE["internal"]))
    return ""
