"""Starts PostgreSQL and Redis before Django reads its settings; a pytest plugin, named in pyproject.

With DATABASE_URL and REDIS_URL given, those are used.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from gptbuilder.embedded import services

folder = Path(tempfile.mkdtemp(prefix="gptbuilder-tests-", dir="/tmp"))
# Registered before the services are, so it runs after they have stopped.
atexit.register(shutil.rmtree, folder, ignore_errors=True)
os.environ.setdefault("GPTBUILDER_HOME", str(folder))
os.environ.setdefault("DATABASE_POOL", "8")
os.environ.setdefault("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
os.environ.setdefault("OPENAI_API_KEY", "test-key")
os.environ.setdefault("OPENAI_MODEL", "scripted")

if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
    started = services.start(folder)
    os.environ.setdefault("DATABASE_URL", started.database_url)
    os.environ.setdefault("REDIS_URL", started.redis_url)
