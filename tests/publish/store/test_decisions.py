"""Decisions are counted in their order and keep their details."""

from __future__ import annotations

from tests.stores import NOW

from leadml.publish.store.decisions import add_decision, decisions_of
from leadml.publish.store.opening import Store

pytest_plugins = ["tests.postgres"]


def test_decisions_of_a_kind_come_back_in_their_order(store: Store) -> None:
    """Each with its details."""
    added = [("a", {"n": 1}), ("b", {"n": 2}), ("a", {"n": 3})]
    numbers = [store.write(lambda connection, each=each: add_decision(connection, *each, NOW)) for each in added]

    assert numbers == [1, 2, 3]
    assert store.read(lambda connection: decisions_of(connection, "a")) == [{"n": 1}, {"n": 3}]
    assert store.read(lambda connection: decisions_of(connection, "c")) == []
