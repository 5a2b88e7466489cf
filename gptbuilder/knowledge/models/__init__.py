"""What is kept of a file: its bytes and how far they are read, its passages, their words and their vectors.

What is kept of searching them is in models/searching.py.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from gptbuilder.knowledge.models.searching import RetrievalCase, RetrievalTrial, Search
from gptbuilder.lib import sealing
from gptbuilder.lib.ids import new_id
from gptbuilder.workspaces.models import Workspace

__all__ = [
    "Content", "ContentQuerySet", "EmbeddingIndex", "KnowledgeFile", "KnowledgeFileQuerySet", "Passage", "Posting",
    "RetrievalCase", "RetrievalTrial", "Search", "Upload", "Vector",
]  # fmt: skip


def new_content_id() -> str:
    return new_id("cont")


def new_file_id() -> str:
    return new_id("file")


def new_upload_id() -> str:
    return new_id("upload")


def storage_name(content: Content, _name: str) -> str:
    """A random name without an ending: nothing of what the person called the file, nothing a server would run."""
    return f"knowledge/{content.pk}"


class ContentQuerySet(models.QuerySet["Content"]):
    def held(self, content_id: str, attempt: int) -> ContentQuerySet:
        """The content, if this attempt still holds it: what every write of a worker goes through."""
        return self.filter(pk=content_id, attempt=attempt)


class Content(models.Model):
    """The bytes of a file and what was read from them. The same bytes in a workspace are stored and indexed once.

    A worker claims it by raising `attempt`; only that attempt may write. `tries` counts the readings begun since the
    last one that ended well, so that a file which kills its reader is given up. `outcome` is the word of the
    extraction (outcomes.py has the sentences). `embedding_error` says why the vectors are late: a GatewayError's code.
    """

    class State(models.TextChoices):
        UPLOADED = "uploaded", _("uploaded")
        READING = "reading", _("being read")
        WORDS = "words", _("searchable by words")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")

    SEARCHABLE = (State.WORDS, State.READY)

    id = models.CharField(primary_key=True, max_length=40, default=new_content_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField()
    file = models.FileField(upload_to=storage_name, max_length=120)
    sealed_password = models.TextField(blank=True, editable=False)
    kind = models.CharField(max_length=20, blank=True)
    language = models.CharField(max_length=20, default="english")
    state = models.CharField(max_length=10, choices=State, default=State.UPLOADED)
    outcome = models.CharField(max_length=30, blank=True)
    detail = models.TextField(blank=True)
    embedding_error = models.CharField(max_length=30, blank=True)
    section_count = models.PositiveIntegerField(default=0)
    passage_count = models.PositiveIntegerField(default=0)
    embedded_count = models.PositiveIntegerField(default=0)
    word_count = models.PositiveBigIntegerField(default=0)
    attempt = models.PositiveIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    heartbeat_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ContentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "sha256"], name="one_content_per_bytes"),
            models.CheckConstraint(
                condition=Q(state__in=["uploaded", "reading", "words", "ready", "failed"]), name="content_state"
            ),
            models.CheckConstraint(condition=Q(embedded_count__lte=F("passage_count")), name="embedded_of_passages"),
            models.CheckConstraint(
                condition=~Q(state="ready") | Q(embedded_count=F("passage_count")), name="ready_has_all_vectors"
            ),
        ]
        indexes = [
            models.Index(
                fields=["state", "heartbeat_at"],
                condition=Q(state__in=["uploaded", "reading", "words"]),
                name="contents_to_watch",
            )
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_searchable(self) -> bool:
        """Also while it is read once more."""
        return self.passage_count > 0

    def seal_password(self, password: str) -> None:
        """Keep the password that opens the file, or none when it is empty; not saved yet. Raises SealingError."""
        self.sealed_password = sealing.seal(password, self._identity(), settings.FIELD_KEYS) if password else ""

    def open_password(self) -> str | None:
        """The password, or None when none was given. Raises SealingError."""
        if not self.sealed_password:
            return None
        return sealing.open_sealed(self.sealed_password, self._identity(), settings.FIELD_KEYS)

    def _identity(self) -> str:
        return sealing.row_identity("knowledge.Content", self.pk, "sealed_password")


class KnowledgeFileQuerySet(models.QuerySet["KnowledgeFile"]):
    def kept(self) -> KnowledgeFileQuerySet:
        """Those that were not erased."""
        return self.exclude(content=None)


class KnowledgeFile(models.Model):
    """A file as a person gave it: a name for some content. Without content it was erased and is a tombstone.

    `unheld_at` is when nothing listed it any more; some days later it is erased (holding.py).
    """

    id = models.CharField(primary_key=True, max_length=40, default=new_file_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="knowledge_files"
    )
    content = models.ForeignKey(Content, on_delete=models.SET_NULL, null=True, related_name="files")
    name = models.CharField(max_length=255)
    size_bytes = models.PositiveBigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    erased_at = models.DateTimeField(null=True, editable=False)
    unheld_at = models.DateTimeField(null=True, editable=False)

    objects = KnowledgeFileQuerySet.as_manager()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_erased(self) -> bool:
        return self.content_id is None


class Upload(models.Model):
    """A file on its way: of `size_bytes` the first `received_bytes` are here (uploads.py)."""

    id = models.CharField(primary_key=True, max_length=40, default=new_upload_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads")
    name = models.CharField(max_length=255)
    size_bytes = models.PositiveBigIntegerField()
    received_bytes = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(received_bytes__lte=F("size_bytes")), name="upload_fits")]

    def __str__(self) -> str:
        return self.name


class Passage(models.Model):
    """A piece of a file that is found and cited as a whole. `kind`, `number` and `title` say where it stands.

    Its first `overlap` characters repeat the end of the passage before.
    """

    id = models.BigAutoField(primary_key=True)
    content = models.ForeignKey(Content, on_delete=models.CASCADE, related_name="passages", db_index=False)
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=10)
    number = models.PositiveIntegerField(null=True)
    title = models.CharField(max_length=300, blank=True)
    text = models.TextField()
    overlap = models.PositiveIntegerField(default=0)
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ["content_id", "position"]
        constraints = [
            # Deferred, so that a file that is read again can move its passages one by one.
            models.UniqueConstraint(
                fields=["content", "position"], name="one_passage_per_position", deferrable=models.Deferrable.DEFERRED
            )
        ]

    def __str__(self) -> str:
        return f"{self.content_id} {self.position}"


class Posting(models.Model):
    """Where a word of a content stands: the inverted index that BM25 is summed from (lexical.py).

    `entries` holds, for each of the `passage_count` passages with the word, twelve bytes: the passage's id (8), how
    often the word is in it (2), how many words the passage has (2), all big-endian. A very long content has several
    parts, so that no row grows beyond what is read at once.
    """

    # A word first: all that a search reads of it lies together, however many contents it is in.
    pk = models.CompositePrimaryKey("lexeme", "content_id", "part")
    content = models.ForeignKey(Content, on_delete=models.CASCADE, related_name="+")
    part = models.PositiveSmallIntegerField()
    lexeme = models.CharField(max_length=255, db_collation="C")
    passage_count = models.PositiveIntegerField()
    entries = models.BinaryField()

    def __str__(self) -> str:
        return self.lexeme


class EmbeddingIndex(models.Model):
    """All vectors that one model made. One index serves; another may be built meanwhile, then it takes its place.

    It remembers its endpoint, so that it goes on serving when the settings name another model; without an address it
    is the local one. `dimensions` is unknown until the first vector came,
    `asked_dimensions` is what the model was told to give. A retired one waits for its deletion.
    """

    class State(models.TextChoices):
        BUILDING = "building", _("being built")
        SERVING = "serving", _("in use")
        RETIRED = "retired", _("replaced")

    id = models.BigAutoField(primary_key=True)
    model = models.CharField(max_length=200)
    base_url = models.CharField(max_length=500, blank=True)
    sealed_key = models.TextField(blank=True, editable=False)
    asked_dimensions = models.PositiveIntegerField(null=True)
    dimensions = models.PositiveIntegerField(null=True)
    state = models.CharField(max_length=10, choices=State)
    heartbeat_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["building", "serving", "retired"]), name="embedding_index_state"
            ),
            models.UniqueConstraint(
                fields=["state"],
                condition=Q(state__in=["building", "serving"]),
                name="one_embedding_index_of_each_state",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} ({self.state})"

    def seal_key(self, key: str) -> None:
        """Keep this key, or none when it is empty; not saved yet. Raises SealingError."""
        self.sealed_key = sealing.seal(key, self._identity(), settings.FIELD_KEYS) if key else ""

    def open_key(self) -> str:
        """The key, or nothing when the endpoint needs none. Raises SealingError."""
        return sealing.open_sealed(self.sealed_key, self._identity(), settings.FIELD_KEYS) if self.sealed_key else ""

    def _identity(self) -> str:
        return sealing.row_identity("knowledge.EmbeddingIndex", self.pk, "sealed_key")


class Vector(models.Model):
    """What a passage means to a model. The numbers are in the column `embedding`, which is no field: no fetch brings
    them along (migration 0001)."""

    id = models.BigAutoField(primary_key=True)
    index = models.ForeignKey(EmbeddingIndex, on_delete=models.CASCADE, related_name="vectors", db_index=False)
    content = models.ForeignKey(Content, on_delete=models.CASCADE, related_name="+", db_index=False)
    passage = models.ForeignKey(Passage, on_delete=models.CASCADE, related_name="+", db_index=False)
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["passage", "index"], name="one_vector_per_passage_and_index")]
        indexes = [
            models.Index(fields=["content", "index"], name="vectors_by_content"),
            models.Index(fields=["sha256", "index"], name="vectors_by_text"),
        ]

    def __str__(self) -> str:
        return f"{self.passage_id} in {self.index_id}"
