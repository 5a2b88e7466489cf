"""A configuration has files, and says who may see them. Published ones have none, which their digests leave out."""

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models

REFUSE = """
CREATE FUNCTION gpts_version_files_are_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'version % is frozen', OLD.id USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER gpts_version_files_are_frozen BEFORE UPDATE ON gpts_gptversion FOR EACH ROW
  WHEN ((NEW.files, NEW.is_confidential, NEW.quote_words) IS DISTINCT FROM (OLD.files, OLD.is_confidential, OLD.quote_words))
  EXECUTE FUNCTION gpts_version_files_are_frozen();
"""
ALLOW = """
DROP TRIGGER gpts_version_files_are_frozen ON gpts_gptversion;
DROP FUNCTION gpts_version_files_are_frozen();
"""


def fields(model):
    return [
        migrations.AddField(model, "files", models.JSONField(blank=True, default=list)),
        migrations.AddField(model, "is_confidential", models.BooleanField(default=False)),
        migrations.AddField(model, "quote_words", models.PositiveIntegerField(blank=True, null=True)),
    ]


class Migration(migrations.Migration):
    dependencies = [("gpts", "0004_recommended_model")]
    operations = [
        *fields("draft"),
        *fields("gptversion"),
        migrations.AddIndex(
            "draft", GinIndex(fields=["files"], name="drafts_by_file", opclasses=["jsonb_path_ops"])
        ),
        migrations.AddIndex(
            "gptversion", GinIndex(fields=["files"], name="versions_by_file", opclasses=["jsonb_path_ops"])
        ),
        migrations.RunSQL(REFUSE, ALLOW),
    ]
