"""The tap: settings in, streams out."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Sequence
from functools import cached_property
from types import FrameType
from typing import IO, Any, ClassVar

import click
from singer_sdk import Stream, Tap
from singer_sdk.exceptions import SingerSDKError
from singer_sdk.helpers._util import load_json
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities, TapCapabilities
from singer_sdk.plugin_base import _ConfigInput
from typing_extensions import override

from tap_bill import bookmarks, settings
from tap_bill.cli import TapCommand
from tap_bill.connection import Connection, connect
from tap_bill.errors import SettingsError, StateError
from tap_bill.list_stream import BillStream
from tap_bill.output import MessageWriter
from tap_bill.redaction import SECRETS
from tap_bill.streams import STREAMS

_HELP = """Read vendors, bills, payments and classifications from BILL, as Singer messages.

\b
Examples:
  tap-bill --config=ENV --test
  tap-bill --config=ENV | target-jsonl
  tap-bill --config config.json --state state.json | target-quickbooks --config=ENV
  tap-bill --about --format=markdown
"""


#: About what it takes to write a page; see `TapBill.invoke`.
_SWITCH_SECONDS = 0.0015
#: Objects that have to be new before the interpreter looks for cycles among them. Records have none and are
#: freed without, but a page of bills holds more objects than the usual 700.
_NEW_OBJECTS = 50_000


class TapBill(Tap):
    """Singer tap for BILL (bill.com): vendors, bills, payments, recurring bills and classifications."""

    name = "tap-bill"
    config_jsonschema: ClassVar[dict[str, Any]] = settings.json_schema()
    message_writer_class = MessageWriter
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.DISCOVER,
        TapCapabilities.STATE,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    @override
    def __init__(self, *, parse_env_config: bool = False, **kwargs: Any) -> None:
        """See `Tap`; numbers in the environment that are none are named."""
        try:
            super().__init__(parse_env_config=parse_env_config, **kwargs)
        except ValueError as error:
            if not parse_env_config:
                raise
            problems = settings.environment_problems(os.environ) or [f"the environment: {error}"]
            raise SettingsError(*problems) from None

    @cached_property
    def connection(self) -> Connection:
        """The connection to BILL that all streams share."""
        return connect(settings.parse(self._config))

    @property
    @override
    def streams(self) -> dict[str, Stream]:
        """The streams in the order in which records refer to each other; the SDK sorts by name."""
        kinds: list[type[Stream]] = list(STREAMS)
        in_order = sorted(super().streams.values(), key=lambda stream: kinds.index(type(stream)))
        return {stream.name: stream for stream in in_order}

    @override
    def discover_streams(self) -> Sequence[Stream]:
        return [stream(self, lambda: self.connection) for stream in STREAMS]

    def announce_streams(self) -> None:
        """All selected streams will be read: those that come later can be asked for before their turn."""
        streams = (stream for stream in self.streams.values() if isinstance(stream, BillStream))
        self.connection.ahead.announce(stream for stream in streams if stream.selected)

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state(
            bookmarks.accept(state, organization_id=self._config.get("organization_id")),
        )

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings. Unlike the SDK's messages, ours never quote a secret."""
        SECRETS.add(*settings.secrets_in(self._config))
        self.append_builtin_config(self.config_jsonschema)
        problems = settings.check(self._config, self.config_jsonschema)
        if problems and raise_errors:
            raise SettingsError(*problems)
        return problems

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Write the state and leave with the exit code that shells use for a signal."""
        exit_code = 128 + signum

        def stop() -> None:
            # Nothing here may need a lock or a buffer that the interrupted code is holding.
            self.state_writer.write_state(self.state)
            sys.exit(exit_code)

        signal.signal(signum, signal.SIG_IGN)
        if isinstance(self.message_writer, MessageWriter):
            self.message_writer.between_messages(stop, exit_code=exit_code)
        else:
            stop()

    def _close(self) -> None:
        if "connection" in self.__dict__:
            self.connection.ahead.stop()
            self.connection.session.close()
            self.connection.governor.close()

    # Command line ---------------------------------------------------------------------------------

    @classmethod
    @override
    def invoke(  # type: ignore[override] # as in the SDK: more arguments than a plugin in general
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput | None = None,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
    ) -> None:
        if about:
            cls.print_about(about_format)
            return
        cls.print_version(print_fn=cls.logger.info)
        given = config or _ConfigInput()
        tap = cls(
            config=given.config,
            parse_env_config=given.parse_env,
            state=None if state is None else _read_object(state, "state", StateError),
            catalog=None if catalog is None else _read_object(catalog, "catalog", SettingsError),
        )
        # Threads that wait for answers need the interpreter for moments only, but would get it from the one
        # that writes every 5 ms.
        sys.setswitchinterval(_SWITCH_SECONDS)
        gc.set_threshold(_NEW_OBJECTS)
        try:
            tap.announce_streams()
            tap.sync_all()
        except SingerSDKError:
            # What went out before the failure need not be read again.
            if tap.state:
                tap.state_writer.write_state(tap.state)
            raise
        except SystemExit:
            cls.logger.info("Stopped by a signal; the state covers what was written")
            raise
        finally:
            tap._close()

    @classmethod
    @override
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> _ConfigInput:
        try:
            return super().cb_config(ctx, param, value)
        except OSError as error:
            msg = f"the configuration cannot be read: {error.strerror or error}"
        except (ValueError, TypeError) as error:
            msg = f"the configuration is no JSON object: {error}"
        raise SettingsError(msg)

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        command = super().get_singer_command()
        return TapCommand(
            name=command.name,
            callback=command.callback,
            params=command.params,
            help=_HELP,
            context_settings=command.context_settings,
            logger=cls.logger,
        )


def _read_object(file: IO[str], what: str, error_class: type[SettingsError | StateError]) -> dict[str, Any]:
    held: Any
    try:
        held = load_json(file.read())
    except ValueError as error:
        msg = f"the {what} file {file.name} is no JSON ({error}); correct or remove it"
        raise error_class(msg) from None
    if not isinstance(held, dict):
        msg = f"the {what} file {file.name} has to hold a JSON object; correct or remove it"
        raise error_class(msg)
    return held
