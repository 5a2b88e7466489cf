"""What is kept of searching: that it happened, the cases a maker tries it with, and how these went.

They name a GPT by its id alone: knowledge knows no GPTs.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import MD5

from gptbuilder.lib.ids import new_id


def new_case_id() -> str:
    return new_id("case")


class Search(models.Model):
    """That somebody's conversation with a GPT searched its files, without who, which conversation or at what hour.

    `holder_id` is the GPT. The words are kept when its maker searched, or once enough others asked the same
    (records.py); `question_key` and `asker` are keyed hashes that only tell equal questions, and who asked one
    question twice, apart. `found_by_words` counts the passages with a word of the question, `best` is the best
    joined score.
    """

    QUESTION_LETTERS = 1_000

    id = models.BigAutoField(primary_key=True)
    holder_id = models.CharField(max_length=40)
    day = models.DateField()
    question = models.TextField(blank=True)
    question_key = models.CharField(max_length=32)
    asker = models.CharField(max_length=32, blank=True)
    is_makers = models.BooleanField(default=False)
    found = models.PositiveIntegerField()
    found_by_words = models.PositiveIntegerField()
    best = models.FloatField()
    by_meaning = models.BooleanField()

    class Meta:
        verbose_name_plural = "searches"
        indexes = [
            models.Index(fields=["holder_id", "question_key", "asker"], name="searches_by_question"),
            models.Index(fields=["day"], name="searches_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.holder_id} {self.day}"


class RetrievalCase(models.Model):
    """A question and the passage that should be found for it. `holder_id` is the GPT whose files are searched.

    The passage is kept as it was, for a file that is read again is cut into others: cases.py knows it again by file
    and text. A removed one waits a while for second thoughts.
    """

    QUESTION_LETTERS = Search.QUESTION_LETTERS

    id = models.CharField(primary_key=True, max_length=40, default=new_case_id, editable=False)
    holder_id = models.CharField(max_length=40)
    question = models.CharField(max_length=QUESTION_LETTERS)
    file_id = models.CharField(max_length=40)
    file_name = models.CharField(max_length=255)
    kind = models.CharField(max_length=10)
    number = models.PositiveIntegerField(null=True)
    title = models.CharField(max_length=300, blank=True)
    text = models.TextField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                F("holder_id"), F("file_id"), F("sha256"), MD5("question"), name="one_case_per_question_and_passage"
            )
        ]

    def __str__(self) -> str:
        return self.question


class RetrievalTrial(models.Model):
    """All cases of a GPT tried at once, over these files. `outcomes` has one entry for each case (trials.py).

    `recall` is the share of the cases whose passage was among the first ten; unknown until the trial has ended.
    """

    id = models.BigAutoField(primary_key=True)
    holder_id = models.CharField(max_length=40)
    file_ids = models.JSONField(default=list)
    case_count = models.PositiveIntegerField()
    outcomes = models.JSONField(default=list)
    recall = models.FloatField(null=True)
    by_meaning = models.BooleanField(default=False)
    heartbeat_at = models.DateTimeField()
    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["holder_id", "id"], name="trials_by_holder")]
        constraints = [
            models.UniqueConstraint(fields=["holder_id"], condition=Q(ended_at=None), name="one_trial_at_a_time"),
            models.CheckConstraint(
                condition=Q(ended_at=None, recall=None) | Q(ended_at__isnull=False, recall__isnull=False),
                name="ended_trial_has_recall",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.holder_id} {self.begun_at}"
