"""A frozen version stays as it is: the database refuses any other change than publishing a snapshot, and
forgetting a picture or a person that is gone."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION gpts_version_is_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.id, NEW.gpt_id, NEW.name, NEW.description, NEW.instructions, NEW.starters, NEW.capabilities,
      NEW.digest_sha256, NEW.created_at)
     IS DISTINCT FROM
     (OLD.id, OLD.gpt_id, OLD.name, OLD.description, OLD.instructions, OLD.starters, OLD.capabilities,
      OLD.digest_sha256, OLD.created_at)
    OR (NEW.picture_id IS DISTINCT FROM OLD.picture_id AND NEW.picture_id IS NOT NULL)
    OR (NEW.published_by_id IS DISTINCT FROM OLD.published_by_id AND NEW.published_by_id IS NOT NULL
        AND OLD.number IS NOT NULL)
    OR (OLD.number IS NOT NULL
        AND (NEW.number, NEW.published_at, NEW.restored_from)
            IS DISTINCT FROM (OLD.number, OLD.published_at, OLD.restored_from))
  THEN
    RAISE EXCEPTION 'version % is frozen', OLD.id USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER gpts_version_is_frozen BEFORE UPDATE ON gpts_gptversion
  FOR EACH ROW EXECUTE FUNCTION gpts_version_is_frozen();
"""
ALLOW = "DROP TRIGGER gpts_version_is_frozen ON gpts_gptversion; DROP FUNCTION gpts_version_is_frozen();"


class Migration(migrations.Migration):
    dependencies = [("gpts", "0001_initial")]
    operations = [migrations.RunSQL(REFUSE, ALLOW)]
