"""What is remembered of BILL's lists: on disk for runs, in passing for plans."""

from __future__ import annotations

import pytest
from target_quickbooks.mapping.source import Kind
from target_quickbooks.memory import LastingMemory, PassingMemory

ORGANIZATION = "00802TESTORGANIZATN1"
PARENT = {"id": "cls-sales", "name": "Sales"}
CHILD = {"id": "cls-west", "name": "West", "parentId": "cls-sales"}
WANTED = [(Kind.CLASS, "cls-west")]


def arrived(*records, stream="accounting_classes"):
    return {(ORGANIZATION, stream): list(records)}


def full_name(memory):
    return memory.references(ORGANIZATION, WANTED)[Kind.CLASS, "cls-west"].full_name


@pytest.mark.parametrize("kind", [LastingMemory, PassingMemory])
def test_what_arrived_is_known_with_its_full_name(store, kind):
    memory = kind(store)
    memory.remember(arrived(PARENT, CHILD))
    assert full_name(memory) == "Sales:West"


def test_a_plan_knows_what_is_stored_and_newer_things_before_it(store):
    LastingMemory(store).remember(arrived(PARENT, CHILD))
    memory = PassingMemory(store)
    assert full_name(memory) == "Sales:West"
    memory.remember(arrived({**PARENT, "name": "Selling"}))
    assert full_name(memory) == "Selling:West"


def test_a_plan_stores_nothing(store):
    memory = PassingMemory(store)
    memory.remember(arrived(PARENT, CHILD) | arrived({"id": "pay1"}, stream="payments"))
    assert LastingMemory(store).references(ORGANIZATION, WANTED) == {}


def test_organizations_are_kept_apart(store):
    memory = PassingMemory(store)
    memory.remember(arrived(PARENT, CHILD))
    assert memory.references("00802OTHER", WANTED) == {}
