"""An instance that poses as another one, whose address it has taken over."""

from __future__ import annotations

from dataclasses import replace

from commensal_federation.identity import instance_document
from commensal_federation.identity.keys import root_key, sign_key_set
from commensal_federation.runtime import Federation
from commensal_federation.signing import canonical
from commensal_federation.testing import Region
from commensal_federation.transport import Answer


def document_with_keys_of(name: str, region: Region, *, at: str) -> Answer:
    """Returns what an instance with the keys of `name` would serve if it had taken over the address of `at`."""
    federation = region[name]
    settings = replace(federation.instance.settings, base_url=region[at].base)
    posing = Federation(replace(federation.instance, settings=settings), federation.transport, federation.messages)
    with federation.instance.store.write() as tx:
        root = root_key(posing, tx)
        assert root is not None
        sign_key_set(posing, tx, root)
        document = instance_document(posing, tx)
    return Answer(200, [("content-type", "application/ld+json")], canonical(document))
