"""What instances exchange, by all plugins together: types of message, and documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from . import specifications

if TYPE_CHECKING:
    from ..instance import Instance


def message_types_of(instance: Instance) -> list[tuple[str, Mapping[Any, Any]]]:
    """The plugins that bring types of message, in the operator's order, each with its types and their handlers."""
    answers = instance.hooks.each(specifications.message_types)
    return [(answer.plugin, answer.value) for answer in answers if answer.value is not None]


def peer_documents_of(instance: Instance) -> list[tuple[str, Mapping[str, Any]]]:
    """The plugins that give documents to peers, in the operator's order, each with its documents by their names."""
    answers = instance.hooks.each(specifications.peer_documents)
    return [(answer.plugin, answer.value) for answer in answers if answer.value is not None]
