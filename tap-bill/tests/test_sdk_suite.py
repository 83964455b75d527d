"""The SDK's own test suite for taps, whole, against a simulator whose records have every field."""

from __future__ import annotations

import pytest
from ap_simulator.testing import running
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from tap_bill.streams import STREAMS
from tap_bill.tap import TapBill

RECORDS = 3

#: What the suite's tap is made with. It is made when tests are collected, and reads the address only
#: when it runs; so the address is filled in by the fixture that starts the simulator.
SETTINGS = {
    "dev_key": "01SUITEDEVELOPERKEY1",
    "username": "suite@example.com",
    "password": "suite-password",
    "organization_id": "00802SUITEORGANIZTN1",
    "api_url": "http://127.0.0.1:9/connect",
}


def example(schema, number, name=""):
    """A value that fits a schema, with every field."""
    kinds = set(schema["type"]) if isinstance(schema["type"], list) else {schema["type"]}
    if "object" in kinds:
        return {field: example(inner, number, field) for field, inner in schema["properties"].items()}
    if "array" in kinds:
        return [example(schema["items"], number), example(schema["items"], number + 1)]
    if "string" in kinds:
        return {
            "date-time": f"2026-01-0{number}T00:00:00.000+00:00",
            "date": f"2026-01-0{number}",
        }.get(schema.get("format", ""), f"{name} {number}")
    return number > 1 if "boolean" in kinds else number


def records(stream, schema):
    for number in range(1, RECORDS + 1):
        record = example(schema, number)
        del record["organizationId"]
        yield record | {"id": f"{stream[:3]}{number:017}", "archived": number == 1}


@pytest.fixture(scope="session")
def _company():
    tap = TapBill(config=dict(SETTINGS))

    def fill(world):
        organization = SETTINGS["organization_id"]
        world.bill.add_organization(
            organization_id=organization,
            name="Suite",
            users={SETTINGS["username"]: SETTINGS["password"]},
            developer_keys=[SETTINGS["dev_key"]],
        )
        for stream in STREAMS:
            made = list(records(stream.name, tap.streams[stream.name].schema))
            if stream.name == "organization":
                made = [made[0] | {"id": organization}]
            if stream.name == "payments":
                made = [{k: v for k, v in record.items() if k != "archived"} for record in made]
            world.bill.load(organization, stream.name, made)

    with running("empty") as simulator:
        simulator.on_loop(fill)
        SETTINGS["api_url"] = simulator.bill_url
        yield simulator


Suite = get_tap_test_class(
    TapBill,
    config=SETTINGS,
    suite_config=SuiteConfig(max_records_limit=None),
    parse_env_config=False,
)


@pytest.mark.usefixtures("_company")
class TestTapBill(Suite):
    """The suite."""
