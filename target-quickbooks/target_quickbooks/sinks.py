"""One sink per BILL stream: checks the record and queues it for the walk, nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import fastjsonschema
from singer_sdk.exceptions import InvalidRecord
from singer_sdk.sinks import Sink
from singer_sdk.sinks.core import BaseJSONSchemaValidator
from typing_extensions import override

from target_quickbooks.errors import InputError, KeyMissing
from target_quickbooks.store.tables import ID_LENGTH
from target_quickbooks.walk import STREAMS

if TYPE_CHECKING:
    from target_quickbooks.target import TargetQuickbooks

CONNECTION_CHECK = "meltano_test_stream"


class CompiledValidator(BaseJSONSchemaValidator):
    """Validates records with a schema compiled once: ten times as fast as interpreting it each time.

    Raises (from ``validate``):
        InvalidRecord: With the field and the rule, never the value.
    """

    def __init__(self, stream: str, schema: dict[str, Any]) -> None:
        super().__init__(schema)
        self._stream = stream
        try:
            self._validate = fastjsonschema.compile(schema, use_default=False, use_formats=False)
        except (
            fastjsonschema.JsonSchemaDefinitionException,
            TypeError,
            ValueError,
            KeyError,
            AttributeError,
            RecursionError,
        ):
            msg = f"The SCHEMA message of stream {stream} is not a usable JSON schema."
            raise InputError(msg) from None

    @override
    def validate(self, record: dict[str, Any]) -> None:
        try:
            self._validate(record)
        except fastjsonschema.JsonSchemaValueException as error:
            name = str(error.name or "data")
            where = name.removeprefix("data.")
            rule = str(error.message).removeprefix(name).strip()
            raise InvalidRecord(f"its {where} {rule}", record) from None


class BillSink(Sink):
    """Takes records of one stream and queues them."""

    def __init__(
        self,
        target: TargetQuickbooks,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: Sequence[str] | None,
    ) -> None:
        super().__init__(target, stream_name, schema, key_properties)
        self._intake = target.intake

    @override
    def get_validator(self) -> BaseJSONSchemaValidator | None:
        return CompiledValidator(self.stream_name, self.schema) if self.validate_schema else None

    @override
    def _validate_and_parse(self, record: dict[str, Any]) -> dict[str, Any]:
        """Check the keys only: times stay the strings BILL sent, which is what is compared and stored."""
        for name in ("id", "organizationId"):
            value = record.get(name)
            if isinstance(value, int) and not isinstance(value, bool):
                record[name] = value = str(value)
            if not isinstance(value, str) or not value:
                raise KeyMissing(self._lacking(name, record))
            if len(value) > ID_LENGTH:
                raise KeyMissing(
                    f"A record of stream {self.stream_name} has {len(value)} characters in {name}, so "
                    "that is no BILL id (they have 20). Keep the field in stream maps as tap-bill sends it."
                )
        return record

    @override
    def _singer_validate_message(self, record: dict[str, Any]) -> None:
        for name in self.key_properties:
            if name not in record:
                raise KeyMissing(self._lacking(name, record))

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        try:
            if self._validator is not None:
                self._validator.validate(record)
        except InvalidRecord as error:
            self._intake.refuse(self.stream_name, record, error.error_message)
            return
        self._intake.take(self.stream_name, record)

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        """Nothing to do: the walk flushes what sinks queued."""

    def _lacking(self, name: str, record: Mapping[str, Any]) -> str:
        which = f"Record {record['id']!r}" if name != "id" and record.get("id") else "A record"
        return (
            f"{which} of stream {self.stream_name} has no {name}, so it cannot be told which BILL record "
            "it is. Use tap-bill, which sends it, and keep the field in stream maps."
        )


class ConnectionCheckSink(Sink):
    """Meltano's test stream: shows that the company can be reached, and writes nothing."""

    @override
    def setup(self) -> None:
        target: Any = self._target_checked
        target.check_connection()

    def __init__(
        self,
        target: TargetQuickbooks,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: Sequence[str] | None,
    ) -> None:
        self._target_checked = target
        super().__init__(target, stream_name, schema, key_properties)

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        """Records of the check are not looked at."""

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        """Nothing to do."""


class IgnoringSink(Sink):
    """A stream this target does not know, ignored because the settings say so."""

    @override
    def get_validator(self) -> BaseJSONSchemaValidator | None:
        return None

    @override
    def setup(self) -> None:
        self.logger.warning("Stream %s is not known here and ignored.", self.stream_name)

    @override
    def _validate_and_parse(self, record: dict[str, Any]) -> dict[str, Any]:
        return record

    @override
    def _singer_validate_message(self, record: dict[str, Any]) -> None:
        """Anything goes."""

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        """Ignored."""

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        """Nothing to do."""


def sink_class(stream_name: str, *, ignore_unknown: bool) -> type[Sink]:
    """The sink for a stream.

    Raises:
        InputError: The stream is unknown and unknown streams are not to be ignored.
    """
    if stream_name in STREAMS:
        return BillSink
    if stream_name == CONNECTION_CHECK:
        return ConnectionCheckSink
    if ignore_unknown:
        return IgnoringSink
    msg = (
        f"Stream '{stream_name}' is not one of BILL's ({', '.join(sorted(STREAMS))}). Deselect it in the "
        "tap, or set ignore_unknown_streams to true."
    )
    raise InputError(msg)
