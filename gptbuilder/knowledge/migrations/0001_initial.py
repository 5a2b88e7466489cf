"""Files and what is made of them.

The numbers of a vector are a column that is no field of the model: no fetch brings them along. Halves keep a third
decimal, which no ranking misses, in half the room. PLAIN keeps them in the row, where a search reads them in passing;
postings are read as they lie, so they are not compressed.
"""

import django.db.models.constraints
import django.db.models.deletion
import gptbuilder.knowledge.models
from django.conf import settings
from django.contrib.postgres.operations import CreateExtension
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('workspaces', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateExtension('vector'),
        migrations.CreateModel(
            name='Content',
            fields=[
                ('id', models.CharField(default=gptbuilder.knowledge.models.new_content_id, editable=False, max_length=40, primary_key=True, serialize=False)),
                ('sha256', models.CharField(max_length=64)),
                ('size_bytes', models.PositiveBigIntegerField()),
                ('file', models.FileField(max_length=120, upload_to=gptbuilder.knowledge.models.storage_name)),
                ('sealed_password', models.TextField(blank=True, editable=False)),
                ('kind', models.CharField(blank=True, max_length=20)),
                ('language', models.CharField(default='english', max_length=20)),
                ('state', models.CharField(choices=[('uploaded', 'uploaded'), ('reading', 'being read'), ('words', 'searchable by words'), ('ready', 'ready'), ('failed', 'failed')], default='uploaded', max_length=10)),
                ('outcome', models.CharField(blank=True, max_length=30)),
                ('detail', models.TextField(blank=True)),
                ('embedding_error', models.CharField(blank=True, max_length=30)),
                ('section_count', models.PositiveIntegerField(default=0)),
                ('passage_count', models.PositiveIntegerField(default=0)),
                ('embedded_count', models.PositiveIntegerField(default=0)),
                ('word_count', models.PositiveBigIntegerField(default=0)),
                ('attempt', models.PositiveIntegerField(default=0)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('heartbeat_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='workspaces.workspace')),
            ],
        ),
        migrations.CreateModel(
            name='EmbeddingIndex',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('model', models.CharField(max_length=200)),
                ('base_url', models.CharField(blank=True, max_length=500)),
                ('sealed_key', models.TextField(blank=True, editable=False)),
                ('asked_dimensions', models.PositiveIntegerField(null=True)),
                ('dimensions', models.PositiveIntegerField(null=True)),
                ('state', models.CharField(choices=[('building', 'being built'), ('serving', 'in use'), ('retired', 'replaced')], max_length=10)),
                ('heartbeat_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['building', 'serving', 'retired'])), name='embedding_index_state'), models.UniqueConstraint(condition=models.Q(('state__in', ['building', 'serving'])), fields=('state',), name='one_embedding_index_of_each_state')],
            },
        ),
        migrations.CreateModel(
            name='KnowledgeFile',
            fields=[
                ('id', models.CharField(default=gptbuilder.knowledge.models.new_file_id, editable=False, max_length=40, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=255)),
                ('size_bytes', models.PositiveBigIntegerField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('erased_at', models.DateTimeField(editable=False, null=True)),
                ('content', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='files', to='knowledge.content')),
                ('uploaded_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='knowledge_files', to=settings.AUTH_USER_MODEL)),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='workspaces.workspace')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Passage',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('position', models.PositiveIntegerField()),
                ('kind', models.CharField(max_length=10)),
                ('number', models.PositiveIntegerField(null=True)),
                ('title', models.CharField(blank=True, max_length=300)),
                ('text', models.TextField()),
                ('overlap', models.PositiveIntegerField(default=0)),
                ('sha256', models.CharField(max_length=64)),
                ('content', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='passages', to='knowledge.content')),
            ],
            options={
                'ordering': ['content_id', 'position'],
            },
        ),
        migrations.CreateModel(
            name='Posting',
            fields=[
                ('pk', models.CompositePrimaryKey('lexeme', 'content_id', 'part', blank=True, editable=False, primary_key=True, serialize=False)),
                ('part', models.PositiveSmallIntegerField()),
                ('lexeme', models.CharField(db_collation='C', max_length=255)),
                ('passage_count', models.PositiveIntegerField()),
                ('entries', models.BinaryField()),
                ('content', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='knowledge.content')),
            ],
        ),
        migrations.CreateModel(
            name='Vector',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('sha256', models.CharField(max_length=64)),
                ('content', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='knowledge.content')),
                ('index', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='vectors', to='knowledge.embeddingindex')),
                ('passage', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='knowledge.passage')),
            ],
        ),
        migrations.AddIndex(
            model_name='content',
            index=models.Index(condition=models.Q(('state__in', ['uploaded', 'reading', 'words'])), fields=['state', 'heartbeat_at'], name='contents_to_watch'),
        ),
        migrations.AddConstraint(
            model_name='content',
            constraint=models.UniqueConstraint(fields=('workspace', 'sha256'), name='one_content_per_bytes'),
        ),
        migrations.AddConstraint(
            model_name='content',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['uploaded', 'reading', 'words', 'ready', 'failed'])), name='content_state'),
        ),
        migrations.AddConstraint(
            model_name='content',
            constraint=models.CheckConstraint(condition=models.Q(('embedded_count__lte', models.F('passage_count'))), name='embedded_of_passages'),
        ),
        migrations.AddConstraint(
            model_name='content',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'ready'), _negated=True), ('embedded_count', models.F('passage_count')), _connector='OR'), name='ready_has_all_vectors'),
        ),
        migrations.AddConstraint(
            model_name='passage',
            constraint=models.UniqueConstraint(deferrable=django.db.models.constraints.Deferrable['DEFERRED'], fields=('content', 'position'), name='one_passage_per_position'),
        ),
        migrations.AddIndex(
            model_name='vector',
            index=models.Index(fields=['content', 'index'], name='vectors_by_content'),
        ),
        migrations.AddIndex(
            model_name='vector',
            index=models.Index(fields=['sha256', 'index'], name='vectors_by_text'),
        ),
        migrations.AddConstraint(
            model_name='vector',
            constraint=models.UniqueConstraint(fields=('passage', 'index'), name='one_vector_per_passage_and_index'),
        ),
        migrations.RunSQL(
            "ALTER TABLE knowledge_vector ADD COLUMN embedding halfvec NOT NULL, "
            "ALTER COLUMN embedding SET STORAGE PLAIN",
            "ALTER TABLE knowledge_vector DROP COLUMN embedding",
        ),
        migrations.RunSQL(
            "ALTER TABLE knowledge_posting ALTER COLUMN entries SET STORAGE EXTERNAL",
            migrations.RunSQL.noop,
        ),
    ]
