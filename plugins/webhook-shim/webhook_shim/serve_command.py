"""``webhook-shim serve``."""

from __future__ import annotations

import logging
import os
import sys
import time

import click

from webhook_shim import settings as shim_settings
from webhook_shim.settings import PREFIX

_QUIET = ("alembic", "asyncio", "httpx", "tap-bill", "urllib3", "uvicorn", "singer_sdk")


@click.command()
@click.option("--host", metavar="ADDRESS", help="Address to listen on, in place of the setting.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on, in place of the setting.")
def serve(host: str | None, port: int | None) -> None:
    """Receive events, run Meltano for them, and show the page, until SIGTERM.

    Settings come from WEBHOOK_SHIM_... variables, the companies from the Meltano project. What is under way
    when the server stops may take a minute to end; a second signal stops it at once, and the next run goes
    on from there.

    \b
    Examples:
      webhook-shim serve
      meltano invoke webhook-shim:serve
      meltano --environment production invoke webhook-shim:serve
      WEBHOOK_SHIM_PASSWORD=... webhook-shim serve --host 0.0.0.0 --port 8443
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    log_to_stderr()
    chosen = {f"{PREFIX}HOST": host, f"{PREFIX}PORT": str(port) if port else None}
    environ = {**os.environ, **{name: value for name, value in chosen.items() if value}}
    settings = shim_settings.read(environ)
    from webhook_shim import server, service  # noqa: PLC0415 - slow to import, and needed here only

    with server.listen(settings) as listener:
        parts = service.assemble(settings)
        try:
            titles = ", ".join(books.title for books in parts.companies)
            logging.getLogger("webhook-shim").info("Serving %s on %s", titles, settings.public_url)
            exit_code = server.serve(parts, settings, listener)
        finally:
            parts.close()
    sys.exit(exit_code)


def log_to_stderr() -> None:
    """Log to standard error: standard output belongs to nobody, as with any plugin of Meltano."""
    logging.basicConfig(
        format="%(asctime)sZ %(levelname)-7s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S", level=logging.INFO
    )
    logging.Formatter.converter = time.gmtime
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
