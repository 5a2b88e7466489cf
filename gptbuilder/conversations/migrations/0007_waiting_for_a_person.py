

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0006_thread_files'),
        ('gpts', '0005_files'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='run',
            name='paused_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='run',
            name='paused_attempt',
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='runstep',
            name='decision',
            field=models.CharField(blank=True, choices=[('allowed', 'allowed once'), ('always', 'always allowed'), ('declined', 'declined')], db_default='', default='', max_length=10),
        ),
        migrations.AddField(
            model_name='runstep',
            name='needs',
            field=models.JSONField(null=True),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(condition=models.Q(('status', 'requires_action')), fields=['paused_at'], name='paused_runs'),
        ),
    ]
