"""The Singer target: settings, stream to sink, STATE, signals, report and exit code."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping
from types import FrameType
from typing import IO, TYPE_CHECKING, Any, ClassVar

import click
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import (
    TARGET_VALIDATE_RECORDS_CONFIG,
    CapabilitiesEnum,
    PluginCapabilities,
    TargetCapabilities,
)
from singer_sdk.plugin_base import PluginBase
from singer_sdk.sinks import Sink
from singer_sdk.target_base import Target
from typing_extensions import override

from target_quickbooks.errors import InputError, SchemaMissing, SettingsError, Stopped, TargetError
from target_quickbooks.exact_json import to_json
from target_quickbooks.settings_schema import CONFIG_SCHEMA
from target_quickbooks.singer_input import MessageReader

if TYPE_CHECKING:
    from target_quickbooks.assembly import Run
    from target_quickbooks.reconcile.survey import Survey
    from target_quickbooks.walk import Walk

_FLUSH_AFTER_SECONDS = 5.0
#: Exit code of ``mode: reconcile`` when the books differ.
DIFFERENCES = 2

_HELP = """Write what tap-bill reads from BILL to QuickBooks Online: vendors, and bills as purchase orders.

\b
Examples:
  tap-bill --config=ENV | target-quickbooks --config=ENV
  target-quickbooks --config config.json --input bill.jsonl
  TARGET_QUICKBOOKS_MODE=plan target-quickbooks --config=ENV --input bill.jsonl
  target-quickbooks --about --format=markdown
"""


class TargetQuickbooks(Target):
    """Keeps QuickBooks Online in step with BILL: vendors, and bills as purchase orders.

    STATE is printed only for records that are durable: written and recorded, or stored as failures.
    """

    name = "target-quickbooks"
    config_jsonschema: ClassVar[dict[str, Any]] = CONFIG_SCHEMA
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.STRUCTURED_LOGGING,
        TargetCapabilities.VALIDATE_RECORDS,
    ]
    message_reader_class = MessageReader
    message_reader: MessageReader

    def __init__(self, *, config: Any = None, parse_env_config: bool = False, **kwargs: Any) -> None:
        logging.getLogger("singer_sdk.configuration").setLevel(logging.WARNING)
        try:
            super().__init__(config=config, parse_env_config=parse_env_config, **kwargs)
        except ConfigValidationError as error:
            problems = "; ".join(_readable(problem) for problem in error.errors)
            msg = f"The settings cannot be used: {problems}."
            raise SettingsError(msg) from None
        except ValueError:
            msg = (
                "A setting given as an environment variable cannot be read: maps are JSON objects, "
                "max_retry_seconds, wait_for_run_seconds and drift_check_hours are whole numbers."
            )
            raise SettingsError(msg) from None
        self._run: Run | None = None
        self._stop_signal: int | None = None
        self._busy = False
        self._waiting = False
        self._state: Mapping[str, Any] | None = None
        self._durable_state: Mapping[str, Any] | None = None
        self._printed_state: Mapping[str, Any] | None = None
        self._flushed_at = time.monotonic()
        self.failed = ""
        self.exit_code = 0

    @property
    def intake(self) -> Walk | Survey:
        """What takes the records; the store is opened when it is first needed."""
        return self._assembled().intake

    def check_connection(self) -> None:
        """Read the company, for Meltano's connection check."""
        run = self._assembled()
        company = run.directory.company()
        self.logger.info("Connected to QuickBooks company %s.", company.name)

    def _exit_code(self) -> int:
        """Of a run that went to its end: 1 if it counts as failed, 2 if the books differ."""
        if self._run and self._run.survey:
            return DIFFERENCES if self.failed else 0
        return 1 if self.failed else 0

    def _fail_summary(self) -> str:
        """Why the run counts as failed although it went to its end; empty if it does not."""
        run = self._run
        if run is None:
            return ""
        if run.survey:
            outcome = run.survey.outcome
            differences = outcome.differences if outcome else 0
            return f"The books differ in {differences} records (listed above)." if differences else ""
        preflight = run.report.preflight
        if preflight and preflight.errors:
            count = len(preflight.errors)
            problems = f"{count} problem{'s' if count > 1 else ''}"
            return f"A run would stop before its first write: {problems} (listed above)."
        if not run.settings.fail_on_failed_records or not run.report.failed_count:
            return ""
        if run.plan:
            return f"{run.report.failed_count} records could not be written (listed above)."
        return (
            f"{run.report.failed_count} records could not be written (listed above); all others went "
            "through and STATE is kept. See: quickbooks-admin failures list"
        )

    @override
    def get_sink_class(self, stream_name: str) -> type[Sink]:
        from target_quickbooks.sinks import sink_class  # noqa: PLC0415 - needs what writes

        return sink_class(stream_name, ignore_unknown=bool(self.config.get("ignore_unknown_streams", False)))

    @override
    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Only the SDK's settings that mean something here: stream maps and record validation."""
        for name, definition in TARGET_VALIDATE_RECORDS_CONFIG["properties"].items():
            config_jsonschema["properties"].setdefault(name, definition)
        PluginBase.append_builtin_config.__func__(cls, config_jsonschema)  # type: ignore[attr-defined]

    @override
    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        self.message_reader.require(message_dict, stream=str, schema=dict)
        if not isinstance(message_dict["schema"].get("properties"), dict):
            msg = f"The SCHEMA message of stream {message_dict['stream']} names no properties."
            raise InputError(msg)
        keys = message_dict.get("key_properties") or []
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            msg = f"The SCHEMA message of stream {message_dict['stream']} has unusable key_properties."
            raise InputError(msg)
        super()._process_schema_message(message_dict)

    @override
    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        self.message_reader.require(message_dict, stream=str, record=dict)
        stream = message_dict["stream"]
        if stream not in self.mapper.stream_maps:
            msg = f"A record of stream {stream} came before the stream's SCHEMA message."
            raise SchemaMissing(msg)
        super()._process_record_message(message_dict)

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Nothing is deleted because a tap read a stream anew: what is archived in BILL says so itself."""

    @override
    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        """The files of a batch are not read: going on without them would lose their records."""
        msg = "A BATCH message arrived, which this target does not read. Remove batch_config from the tap."
        raise InputError(msg)

    @override
    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        self.message_reader.require(message_dict, value=dict)
        self._state = message_dict["value"]
        if self._run is None or self._run.intake.is_empty:
            self._durable_state = self._state
        self._handle_max_record_age()

    @override
    def _handle_max_record_age(self) -> None:
        """Called after every message: flush when a window is full or its first record has waited."""
        run = self._run
        waited = time.monotonic() - self._flushed_at > _FLUSH_AFTER_SECONDS
        if run and (run.intake.is_full or (waited and not run.intake.is_empty)):
            self._working(run.intake.flush)
        if waited and (run is None or run.intake.is_empty):
            self._print_state()

    @override
    def process_endofpipe(self) -> None:
        run = self._run
        if run:
            self._working(run.intake.finish)
            if run.proposals:
                self._working(run.proposals.write)
        self._print_state()
        self.failed = self._fail_summary()
        self.exit_code = self._exit_code()
        self.end(exit_code=self.exit_code)

    def end(self, *, exit_code: int, problem: str = "") -> None:
        """Print the STATE of what is durable; tell and record how the run ended. Signals no longer matter.

        Args:
            exit_code: Of the process.
            problem: Why the run could not go on, if so.
        """
        self._busy = True
        self._print_state()
        run = self._run
        if run is None:
            return
        from target_quickbooks import lifecycle  # noqa: PLC0415 - see there

        lifecycle.end(run, exit_code=exit_code, problem=problem, say=lambda line: click.echo(line, err=True))
        self._run = None

    def _assembled(self) -> Run:
        if self._run is None:
            self._busy, busy = True, self._busy
            try:
                self._run = self._begun()
            finally:
                self._busy = busy
            self._stop_if_asked()
        return self._run

    def _begun(self) -> Run:
        from target_quickbooks import lifecycle  # noqa: PLC0415 - see there

        config = dict(self.config)
        config.setdefault("user_agent", f"{self.name}/{self.plugin_version}")
        return lifecycle.begin(config, sleep=self._sleep, after_batch=self._stop_if_asked)

    def _working(self, work: Any) -> None:
        """Do work that a signal must not interrupt in the middle of a batch."""
        self._busy = True
        try:
            work()
            self._durable_state = self._state
            self._print_state()
        finally:
            self._busy = False
        self._stop_if_asked()

    def _print_state(self) -> None:
        """Print the latest STATE before which nothing is still queued, once."""
        self._flushed_at = time.monotonic()
        only_reads = self._run is not None and self._run.only_reads
        if self._durable_state is None or self._durable_state == self._printed_state or only_reads:
            return
        sys.stdout.write(f"{to_json(self._durable_state)}\n")
        sys.stdout.flush()
        self._printed_state = self._durable_state

    def _sleep(self, seconds: float) -> None:
        """Wait, but not beyond a signal that asks to stop."""
        self._waiting = True
        try:
            self._stop_if_asked()
            time.sleep(seconds)
        finally:
            self._waiting = False

    def _stop_if_asked(self) -> None:
        if self._stop_signal is not None:
            raise Stopped(self._stop_signal)

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Stop at once when idle or waiting; while a batch is under way, once its outcomes are on disk.

        Nothing here may take a lock: the code that the signal interrupts may be holding it.
        """
        again, self._stop_signal = self._stop_signal is not None, signum
        if self._waiting or not (self._busy or again):
            raise Stopped(signum)

    @override
    @classmethod
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: Any = None,
        file_input: IO[str] | None = None,
    ) -> None:
        PluginBase.invoke.__func__(cls, about=about, about_format=about_format)  # type: ignore[attr-defined]
        target: TargetQuickbooks | None = None
        try:
            target = cls(
                config=config.config if config else {},
                parse_env_config=config.parse_env if config else False,
            )
            target.listen(file_input)
        except TargetError as error:
            if target:
                target.end(exit_code=error.exit_code, problem=str(error))
            click.echo(f"{cls.name}: {error}", err=True)
            sys.exit(error.exit_code)
        if target.failed:
            click.echo(f"{cls.name}: {target.failed}", err=True)
            sys.exit(target.exit_code)

    @override
    @classmethod
    def get_singer_command(cls) -> click.Command:
        command = super().get_singer_command()
        command.help = _HELP
        return command

    @override
    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        try:
            return super().cb_config(ctx, param, value)
        except (OSError, ValueError) as error:
            reason = "was not found" if isinstance(error, FileNotFoundError) else "cannot be read as JSON"
            click.echo(f"{cls.name}: The configuration file {' '.join(value)} {reason}.", err=True)
            sys.exit(1)


def _readable(problem: str) -> str:
    """The SDK's message about a setting, without the value: it may be a secret."""
    for marker in (" is not of type ", " is not one of ", " is too short", " is too long", " should be "):
        if marker in problem:
            setting = problem.rpartition("config[")[2].rstrip("]").strip("'\"") or "a setting"
            expected = problem.partition(marker)[2].partition(" in config[")[0]
            return f"{setting}{marker}{expected}".rstrip()
    return problem.replace("is a required property", "is missing").replace("'", "")
