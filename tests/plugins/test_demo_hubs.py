"""What the bundled plugins add to the hubs of the demo region: lists, figures, and a bank account."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from commensal.enterprises.plugins import enabled_plugins
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings
from commensal.parts.demo.fill import fill
from commensal.parts.demo.region import draw_region
from commensal.payments.methods import payment_methods
from commensal.storage.database import Store

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both


@pytest.fixture
def instance(settings: InstanceSettings, store: Store, clock: Any, ids: Any, tmp_path: Path) -> Instance:
    plugin_settings = {"enabled": ["cash", "bank_transfer", "distribution_lists", "sales", "custom_report", "pickup"]}
    settings = replace(settings, plugins=plugin_settings)
    return Instance(tmp_path, settings, store, load_plugins(settings, clock=clock), clock, ids)


def test_hubs_of_the_demo_have_lists_and_figures_and_take_transfers(instance: Instance) -> None:
    region = draw_region(7)
    filled_region = fill(
        instance, replace(region, producers=region.producers[:4], shoppers=(), past_sales=(), running_sales=())
    )
    for hub in filled_region.hubs:
        assert {"cash:cash", "bank_transfer:transfer"} <= {
            payment_method.id for payment_method in payment_methods(instance, hub, "fr")
        }
        with instance.store.read() as tx:
            assert {"distribution_lists", "sales", "custom_report"} <= set(enabled_plugins(tx, hub))
