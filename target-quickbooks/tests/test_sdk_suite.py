"""The SDK's own target tests, each on a file of our streams in place of its arbitrary ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from ap_simulator.testing import running
from singer_sdk.testing import SuiteConfig, get_target_test_class
from singer_sdk.testing.runners import TargetTestRunner
from singer_sdk.testing.suites import SingerTestSuite, target_tests
from singer_sdk.testing.templates import TargetFileTestTemplate
from target_quickbooks.target import TargetQuickbooks

#: What QuickBooks holds after a file: names of vendors, some with a phone number.
EXPECTED = {
    "array_data": {"Array Vendor"},
    "camelcase": {"CaMeL CaSe"},
    "camelcase_complex_schema": {"Complex", "Complex Too"},
    "duplicate_records": {"First at last", "Second again"},
    "encoded_string_data": {
        "100% <b>bold</b> &amp;",
        "O'Neil \\ Backslash",
        "Straße & Söhne",
        "Tab and newline",
        "Zero\u200bwidth",
        "日本語の仕入先",
        'Ťažký "quoted" name',
    },
    "no_primary_keys": {"Keyless One", "Keyless Two"},
    "optional_attributes": {"Only a name", "With all", "With nulls"},
    "pk_updates": {"After"},
    "record_missing_fields": {"Bare", "Bare Too"},
    "schema_no_properties": {"Open address", "Open info"},
    "schema_updates": {"Growing"},
    "special_chars_in_attributes": {"Special"},
}


def on_our_streams(test, directory):
    """The SDK's test, reading our file of the same name."""
    if not issubclass(test, TargetFileTestTemplate):
        return test
    return type(test.__name__, (test,), {"singer_filepath": directory / f"{test.name}.singer"})


SUITE = SingerTestSuite(
    kind="target",
    tests=[on_our_streams(test, Path(__file__).parent / "data_files") for test in target_tests.tests],
)


@pytest.fixture(scope="module")
def server():
    with running("empty") as simulator:
        yield simulator


class TestTargetQuickbooks(
    get_target_test_class(TargetQuickbooks, custom_suites=[SUITE], include_target_tests=False)
):
    """Every test of the SDK's suite, against a simulated company."""

    @pytest.fixture
    def runner(self, simulator):
        settings = {
            name.removeprefix("TARGET_QUICKBOOKS_").lower(): value
            for name, value in simulator.env().items()
            if name.startswith("TARGET_QUICKBOOKS_")
        }
        return TargetTestRunner(TargetQuickbooks, config=settings, suite_config=SuiteConfig())

    @pytest.fixture
    def simulator(self, server, request):
        """An empty company, and a look at it afterwards."""
        server.control.reset()
        before = {vendor["DisplayName"] for vendor in server.control.records("quickbooks", "Vendor")}
        yield server
        vendors = server.control.records("quickbooks", "Vendor")
        added = {vendor["DisplayName"] for vendor in vendors} - before
        assert added == EXPECTED.get(request.node.name.removeprefix("test_target_"), set())


def test_the_whole_suite_is_there():
    """A test that the SDK adds is noticed: it needs a file and an expectation."""
    ours = {name for name in dir(TestTargetQuickbooks) if name.startswith("test_target_")}
    assert len(ours) == len(target_tests.tests)
