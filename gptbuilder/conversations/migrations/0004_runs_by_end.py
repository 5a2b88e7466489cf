from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0003_search")]

    operations = [
        migrations.AddIndex(model_name="run", index=models.Index(fields=["finished_at"], name="runs_by_end")),
    ]
