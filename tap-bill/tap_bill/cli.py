"""The command line: every expected failure is one line on standard error and exit code 1."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from typing import Any

import click
from singer_sdk.exceptions import ConfigValidationError, SingerSDKError
from singer_sdk.plugin_base import SingerCommand
from typing_extensions import override

from tap_bill.output import OutputClosedError
from tap_bill.redaction import redact_handlers, scrub


class TapCommand(SingerCommand):
    """Runs the tap and puts failures in words."""

    @override
    def main(self, *args: Any, **kwargs: Any) -> Any:
        redact_handlers()
        sys.excepthook = self.excepthook
        try:
            return super().main(*args, **kwargs)
        except OutputClosedError as error:
            # Nobody can read what is still buffered; let the interpreter not try.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            self._fail(error)
        except SingerSDKError as error:
            self._fail(error)

    @override
    def invoke(self, ctx: click.Context) -> Any:
        # As in the SDK, but without its two lines per problem of the settings.
        logging.captureWarnings(capture=True)
        warnings.filterwarnings("once", category=DeprecationWarning)
        return click.Command.invoke(self, ctx)

    def _fail(self, error: Exception) -> None:
        text = "; ".join(error.errors) if isinstance(error, ConfigValidationError) else str(error)
        self.logger.error("%s", scrub(text) or type(error).__name__)
        self.logger.debug("Where it happened:", exc_info=error)
        sys.exit(1)
