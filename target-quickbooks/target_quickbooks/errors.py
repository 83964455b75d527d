"""Everything that can stop a run, grouped by what a person does about it.

A refused record is not an error: it is a stored failure and the run goes on (see ``mapping.refusal``).
Messages are one line, name the record or setting, say what to do, and never carry a secret.
"""

from __future__ import annotations

from singer_sdk.exceptions import MissingKeyPropertiesError, RecordsWithoutSchemaException

__all__ = [
    "CompanyRefused",
    "GrantDead",
    "InputError",
    "KeyMissing",
    "PreflightFailed",
    "RunConflict",
    "SchemaMissing",
    "SettingsError",
    "Stopped",
    "StoreError",
    "TargetError",
    "TemporaryError",
]


class TargetError(Exception):
    """Base of all errors that end a run with one readable line and exit code 1."""

    exit_code = 1


class SettingsError(TargetError):
    """A setting is missing or wrong: correct it and run again."""


class InputError(TargetError):
    """What arrived on standard input is not a usable Singer message."""


class KeyMissing(InputError, MissingKeyPropertiesError):
    """A record lacks what tells which BILL record it is."""


class SchemaMissing(InputError, RecordsWithoutSchemaException):
    """A record came before its stream's SCHEMA message."""


class GrantDead(TargetError):
    """QuickBooks no longer accepts the grant: a person has to reconnect."""


class CompanyRefused(TargetError):
    """The company (realm) cannot be used: wrong realm, plan, role or subscription."""


class PreflightFailed(TargetError):
    """Settings or company would make every record of a kind fail; its message lists all of it."""


class TemporaryError(TargetError):
    """QuickBooks could not be reached or kept failing: run again later."""


class RunConflict(TargetError):
    """Another run is writing to the same company: run again when it has ended."""


class StoreError(TargetError):
    """The store cannot be opened, read or decrypted."""


class Stopped(TargetError):
    """A signal asked for an orderly stop.

    Attributes:
        exit_code: 128 plus the signal's number, as a shell reports it.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(f"Stopped by signal {signum}; what was in flight is recorded.")
        self.exit_code = 128 + signum
