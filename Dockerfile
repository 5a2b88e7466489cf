# The pages, the workers and the clock: one image, the command says which. See docs/how-to/put-it-online.md.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 VIRTUAL_ENV=/srv/venv PATH=/srv/venv/bin:$PATH
WORKDIR /srv/gptbuilder

# First what changes seldom: a change of the code then installs nothing anew.
COPY requirements-uv.txt requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements-uv.txt \
    && python -m venv --without-pip /srv/venv \
    && uv pip sync --no-cache --require-hashes requirements.lock

COPY manage.py pyproject.toml LICENSE NOTICE ./
COPY gptbuilder gptbuilder
COPY store store
COPY templates templates
COPY static static
COPY locale locale

# Compiled and collected while the image is built: a container starts with its files as they are.
ENV GPTBUILDER_HOME=/data STATIC_ROOT=/srv/static MEDIA_ROOT=/data/files
RUN DATABASE_POOL=0 python manage.py translations compile \
    && DATABASE_POOL=0 python manage.py collectstatic --noinput \
    && useradd --system --uid 10001 --no-create-home gptbuilder \
    && mkdir -p /data/files && chown -R gptbuilder /data

USER gptbuilder
VOLUME /data
EXPOSE 8000

# Of the pages only; compose.yaml turns it off for the others. The name is in ALLOWED_HOSTS there.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://localhost:8000/healthz', timeout=4)"]

CMD ["uvicorn", "gptbuilder.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--loop", "uvloop", "--http", "httptools", "--no-proxy-headers", "--no-access-log", "--timeout-graceful-shutdown", "20"]
