"""Solves a task with VROOM: reads a `RoundsTask` as JSON, and writes the planned rounds. Run by `vroom_planner`.

The solver and what it needs take 80 MB and more than a second to load, and code in C++ that goes wrong takes its whole
process along. So it is loaded here alone, may take 1.5 GiB and 20 seconds of processor, and imports nothing of ours.
"""

from __future__ import annotations

import json
import resource
import sys
from datetime import timedelta
from importlib import import_module
from typing import Any

_PROCESSOR = 20  # seconds
_SOLVING = timedelta(seconds=10)
_MEMORY = 3 * 512 * 1024 * 1024  # bytes
_THOROUGH = 5  # exploration level of VROOM, its highest


def solve(task: dict[str, Any]) -> list[dict[str, Any]]:
    """The rounds that cost least. Each load has a skill of its own, which vehicles that may carry it have."""
    vroom: Any = import_module("vroom")
    problem = vroom.Input()
    problem.set_durations_matrix("car", task["seconds"])
    problem.set_distances_matrix("car", task["metres"])
    vehicles, loads = task["vehicles"], task["loads"]
    for number, vehicle in enumerate(vehicles):
        skills = {skill for skill, load in enumerate(loads) if vehicle["id"] in load["vehicles"]}
        costs = vroom.VehicleCosts(fixed=0, per_hour=0, per_km=max(1, vehicle["cents_per_km"]))
        problem.add_vehicle(
            vroom.Vehicle(
                number,
                start=vehicle["base"],
                end=vehicle["base"],
                capacity=vehicle["room"],
                skills=skills,
                costs=costs,
                time_window=vroom.TimeWindow(vehicle["begins"], vehicle["ends"]),
            )
        )
    for number, load in enumerate(loads):
        # A setup takes time only where the vehicle comes from another place: once for all loads of a stop.
        at_stop, hours = {"default_setup": task["service"]}, [vroom.TimeWindow(load["opens"], load["closes"])]
        pickup = vroom.ShipmentStep(number, location=load["origin"], **at_stop)
        delivery = vroom.ShipmentStep(number, location=load["destination"], time_windows=hours, **at_stop)
        problem.add_shipment(pickup, delivery, amount=vroom.Amount(load["room"]), skills={number})
    solution = problem.solve(exploration_level=_THOROUGH, nb_threads=1, timeout=_SOLVING).to_dict()
    return [
        {
            "vehicle": vehicles[route["vehicle"]]["id"],
            "loads": [loads[step["id"]]["id"] for step in route["steps"] if step["type"] == "pickup"],
        }
        for route in solution["routes"]
    ]


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_PROCESSOR, _PROCESSOR))
    json.dump(solve(json.load(sys.stdin)), sys.stdout)
