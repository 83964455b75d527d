"""Reads the bodies of control calls. What is wrong with one is said in words that show the cure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import date
from decimal import Decimal, InvalidOperation
from types import NoneType, UnionType
from typing import Any, Final, Literal, TypeVar, get_args, get_origin, get_type_hints

from starlette.requests import Request

from ap_simulator.quickbooks.profile import RealmProfile
from ap_simulator.settings import COMPANIES, Branch, Organization, Realm, Settings

JsonObject = dict[str, Any]
_T = TypeVar("_T")

_ORGANIZATION_HELP: Final = (
    'an organization is {"organization_id", "name", "username", "password", "dev_key"} and may '
    'have a "profile" with further fields of BILL\'s organization'
)
_REALM_HELP: Final = (
    'a realm is {"realm_id", "client_id", "client_secret", "name"} and may have "refresh_token", '
    '"redirect_uris" and what the company has switched on: '
)


class ControlInputError(ValueError):
    """A control call that cannot be understood. The text says what is accepted."""


async def json_object(request: Request, *, optional: bool = False, exact: bool = False) -> JsonObject:
    """The JSON object in a request's body; empty if there is no body and it is `optional`.

    Args:
        request: Of which the body is.
        optional: Whether there may be none.
        exact: Whether numbers with a fraction become `Decimal`.

    Raises:
        ControlInputError: The body is something else.
    """
    body = await request.body()
    if not body and optional:
        return {}
    try:
        value = json.loads(body, parse_float=Decimal if exact else None)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        msg = f"The body of {request.method} {request.url.path} must be a JSON object"
        raise ControlInputError(msg)
    return value


def settings_from_json(body: JsonObject, initial: Settings) -> Settings:
    """The settings of a new world; what is left out is as the simulator was started with.

    Raises:
        ControlInputError: An unknown setting or a wrong value.
    """
    accepted = tuple(entry.name for entry in fields(Settings))
    if unknown := sorted(set(body) - set(accepted)):
        msg = f"reset does not take {', '.join(unknown)}; it takes {', '.join(accepted)}"
        raise ControlInputError(msg)
    if body.get("company", initial.company) not in COMPANIES:
        msg = f"company must be one of {', '.join(COMPANIES)}, not {body['company']!r}"
        raise ControlInputError(msg)
    for name in ("vendors", "bills", "seed"):
        value = body.get(name)
        if value is not None and (type(value) is not int or value < 0):
            msg = f"{name} must be a whole number of at least 0, not {value!r}"
            raise ControlInputError(msg)
    existing = body.get("existing_in_quickbooks", initial.existing_in_quickbooks)
    if not isinstance(existing, bool):
        msg = f"existing_in_quickbooks must be true or false, not {existing!r}"
        raise ControlInputError(msg)
    switches = body.get("switches", {})
    if not isinstance(switches, dict):
        msg = 'switches must be an object like {"oauth.rotation": "always"}'
        raise ControlInputError(msg)
    # Another company than the initial one has its own numbers of records.
    same = body.get("company", initial.company) == initial.company
    return Settings(
        company=body.get("company", initial.company),
        vendors=body.get("vendors", initial.vendors if same else None),
        bills=body.get("bills", initial.bills if same else None),
        seed=initial.seed if body.get("seed") is None else body["seed"],
        existing_in_quickbooks=existing,
        switches={**initial.switches, **switches},
    )


def branch_from_json(body: JsonObject) -> Branch:
    """A further company on both sides.

    Raises:
        ControlInputError: Something is missing, unknown or of the wrong kind.
    """
    names = ", ".join(entry.name for entry in fields(Branch))
    branch = read_object(Branch, body, help_text=f"a company takes {names}")
    if min(branch.vendors or 0, branch.bills or 0, branch.seed) < 0:
        msg = "vendors, bills and seed must be at least 0"
        raise ControlInputError(msg)
    return branch


def organization_from_json(body: JsonObject) -> Organization:
    """A BILL organization and its login.

    Raises:
        ControlInputError: Something is missing, unknown or of the wrong kind.
    """
    return read_object(Organization, body, help_text=_ORGANIZATION_HELP)


def realm_from_json(body: JsonObject) -> Realm:
    """A QuickBooks company, its preferences, and its client.

    Raises:
        ControlInputError: Something is missing, unknown or of the wrong kind.
    """
    own = {entry.name for entry in fields(Realm)} - {"profile"}
    help_text = _REALM_HELP + ", ".join(e.name for e in fields(RealmProfile) if e.name != "name")
    rest = {name: value for name, value in body.items() if name not in own}
    profile = read_object(RealmProfile, rest, help_text=help_text)
    values = {name: value for name, value in body.items() if name in own}
    if isinstance(values.get("redirect_uris"), list):
        values["redirect_uris"] = tuple(values["redirect_uris"])
    return read_object(Realm, values, help_text=help_text, profile=profile)


def read_object(kind: type[_T], body: Mapping[str, Any], *, help_text: str, **given: Any) -> _T:
    """Make a dataclass from JSON, by the types of its fields; `given` are ready-made values.

    Raises:
        ControlInputError: Something is missing, unknown or of the wrong kind.
    """
    hints = get_type_hints(kind)
    accepted = {entry.name: entry for entry in fields(kind) if entry.name not in given}  # type: ignore[arg-type]
    problems = [f"{name} is not known" for name in body if name not in accepted]
    values = dict(given)
    for name, entry in accepted.items():
        if name in body:
            try:
                values[name] = _value(hints[name], body[name])
            except (TypeError, ValueError, InvalidOperation):
                problems.append(f"{name} cannot be {body[name]!r}")
        elif entry.default is MISSING and entry.default_factory is MISSING:
            problems.append(f"{name} is missing")
    if problems:
        msg = f"{'; '.join(problems)}; {help_text}"
        raise ControlInputError(msg)
    return kind(**values)


def read_call(kind: type[_T], body: Mapping[str, Any]) -> _T:
    """The body of a control call that concerns one company, by default the demo's.

    Raises:
        ControlInputError: Something is missing, unknown or of the wrong kind.
    """
    names = ", ".join(entry.name for entry in fields(kind))  # type: ignore[arg-type]
    return read_object(kind, body, help_text=f"it takes {names}; the company is by default the demo's")


def changes_from_json(kind: type[Any], body: Mapping[str, Any], *, help_text: str) -> dict[str, Any]:
    """New values for some fields of a dataclass, by the types of its fields.

    Raises:
        ControlInputError: Something is unknown or of the wrong kind, or there is nothing.
    """
    hints = get_type_hints(kind)
    accepted = {entry.name for entry in fields(kind)}
    problems = [f"{name} is not known" for name in body if name not in accepted]
    values = {}
    for name in accepted & set(body):
        try:
            values[name] = _value(hints[name], body[name])
        except (TypeError, ValueError, InvalidOperation):
            problems.append(f"{name} cannot be {body[name]!r}")
    if problems or not values:
        msg = f"{'; '.join(sorted(problems)) or 'nothing is to change'}; {help_text}"
        raise ControlInputError(msg)
    return values


def _value(hint: Any, value: Any) -> Any:  # noqa: PLR0911 - one for each type
    """`value` as the type `hint`; ValueError or TypeError if it is not one."""
    arguments = get_args(hint)
    origin = get_origin(hint)
    if origin is Literal and value in arguments:
        return value
    if origin is UnionType:
        kinds = [argument for argument in arguments if argument is not NoneType]
        return None if value is None else _value(kinds[0], value)
    if origin is tuple and isinstance(value, list):
        return tuple(_value(arguments[0], item) for item in value)
    if origin is Mapping and isinstance(value, dict):
        return {name: _value(arguments[1], item) for name, item in value.items()}
    if hint is Any or (hint in {str, bool} and type(value) is hint and value != ""):
        return value
    if hint in {int, float} and isinstance(value, (int, float)) and not isinstance(value, bool):
        if hint(value) == value:
            return hint(value)
        raise ValueError
    if hint is date and isinstance(value, str):
        return date.fromisoformat(value)
    if hint is Decimal and isinstance(value, (str, int, float, Decimal)) and not isinstance(value, bool):
        return Decimal(str(value))
    raise ValueError
