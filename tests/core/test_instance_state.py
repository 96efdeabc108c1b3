"""What the process keeps in memory with an instance."""

from __future__ import annotations

import threading
from dataclasses import replace

from commensal import Instance


def test_a_value_is_made_once_for_each_instance_whatever_threads_ask(instance: Instance) -> None:
    instances: list[Instance] = []

    def cache(instance: Instance) -> dict[str, str]:
        instances.append(instance)
        return {}

    values: list[dict[str, str]] = []
    threads = [threading.Thread(target=lambda: values.append(instance.state.of(cache))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert instances == [instance]
    assert all(value is values[0] for value in values)


def test_two_instances_share_nothing(instance: Instance) -> None:
    other = replace(instance)
    assert instance.state.of(_counter) is not other.state.of(_counter)


def test_a_test_may_put_its_own_value_there(instance: Instance) -> None:
    instance.state.replace(_counter, [7])
    assert instance.state.of(_counter) == [7]


def _counter(instance: Instance) -> list[int]:
    return []
