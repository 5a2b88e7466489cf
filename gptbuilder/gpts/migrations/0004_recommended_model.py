"""A configuration may recommend a model. Published ones recommend none, which their digests leave out."""

from django.db import migrations, models

# Beside the trigger of the other fields, so that each field's guard can be read, and taken back, by itself.
REFUSE = """
CREATE FUNCTION gpts_version_model_is_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'version % is frozen', OLD.id USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER gpts_version_model_is_frozen BEFORE UPDATE ON gpts_gptversion
  FOR EACH ROW WHEN (NEW.model IS DISTINCT FROM OLD.model) EXECUTE FUNCTION gpts_version_model_is_frozen();
"""
ALLOW = """
DROP TRIGGER gpts_version_model_is_frozen ON gpts_gptversion;
DROP FUNCTION gpts_version_model_is_frozen();
"""


class Migration(migrations.Migration):
    dependencies = [("gpts", "0003_locks_and_deletion")]
    operations = [
        migrations.AddField("draft", "model", models.CharField(blank=True, max_length=200)),
        migrations.AddField("gptversion", "model", models.CharField(blank=True, max_length=200)),
        migrations.RunSQL(REFUSE, ALLOW),
    ]
