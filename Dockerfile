# The project in an image, after Meltano's conventions: plugins installed at build, `meltano` as the entrypoint.
#
#   docker build -t bill-quickbooks .
#   docker run --env-file production.env bill-quickbooks --environment=production run sync
#   docker run --env-file production.env bill-quickbooks --environment=production invoke webhook-shim:run sync
#
# Nothing that matters lies in the image or its container: give it MELTANO_DATABASE_URI, MELTANO_STATE_BACKEND_URI
# and TARGET_QUICKBOOKS_STORE_URL (docs/orchestrators.md), or a volume at /project/store, /project/.production.
FROM python:3.12-slim-bookworm

ENV MELTANO_CLI_DISABLE_VERSION_CHECK=1 \
    MELTANO_SEND_ANONYMOUS_USAGE_STATS=false \
    PATH=/opt/meltano/bin:$PATH \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PYTHONUNBUFFERED=1 \
    XDG_STATE_HOME=/project/logs

RUN useradd --create-home --uid 10001 meltano \
    && install --directory --owner=meltano --group=meltano /project /opt/meltano

USER 10001
WORKDIR /project

# The locked Meltano first: it changes less often than the project.
COPY --chown=meltano:meltano requirements/bootstrap.txt requirements/meltano.txt requirements/
RUN python -m venv /opt/meltano \
    && pip install --require-hashes --requirement requirements/bootstrap.txt \
    && uv pip install --no-cache --python /opt/meltano/bin/python --require-hashes --requirement requirements/meltano.txt

COPY --chown=meltano:meltano meltano.yml ./
COPY --chown=meltano:meltano requirements/plugins.txt requirements/
COPY --chown=meltano:meltano tap-bill tap-bill
COPY --chown=meltano:meltano target-quickbooks target-quickbooks
COPY --chown=meltano:meltano plugins plugins
RUN meltano install && mkdir -p store .production .sandbox logs

ENV MELTANO_PROJECT_READONLY=1
# Runs finish the batch in flight on SIGTERM: give them a grace period of 90 seconds.
STOPSIGNAL SIGTERM
ENTRYPOINT ["meltano"]
CMD ["--help"]
