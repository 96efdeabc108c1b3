"""The operator's settings of the plugin `oidc`: what is refused at the start, and what `commensal check` says."""

from __future__ import annotations

from typing import Any

import pytest

from commensal import Unfit
from commensal.hooks import specifications
from commensal.instance import Instance
from commensal_oidc.provider import InstanceSettings

from .provider import Provider


def warnings_of(instance: Instance) -> list[str]:
    answers = instance.hooks.each(specifications.warnings, ["oidc"], instance=instance)
    return [problem.code for answer in answers for problem in answer.value or ()]


def test_a_provider_that_answers_as_it_must_is_no_cause_for_a_warning(instance: Instance) -> None:
    assert warnings_of(instance) == []


@pytest.mark.parametrize(
    ("configured", "code"),
    [
        ({"issuer": "https://evil.example"}, "oidc_issuer"),
        ({"token_endpoint": ""}, "oidc_endpoints"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "oidc_endpoints"),
        ({"code_challenge_methods_supported": ["plain"]}, "oidc_pkce"),
    ],
)
def test_what_is_missing_at_the_provider_is_said(
    instance: Instance, provider: Provider, configured: dict[str, Any], code: str
) -> None:
    provider.configured = configured
    assert warnings_of(instance) == [code]


def test_a_provider_that_does_not_answer_is_said(instance: Instance, provider: Provider) -> None:
    provider.down = True
    assert warnings_of(instance) == ["oidc_issuer"]


@pytest.mark.parametrize("oidc", [{"issuer": "", "client_id": ""}], indirect=True)
def test_who_has_no_provider_is_warned_of_nothing(instance: Instance, provider: Provider) -> None:
    assert (warnings_of(instance), provider.asked) == ([], [])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"issuer": "https://id.example.org"}, "one needs the other"),
        ({"client_id": "val"}, "one needs the other"),
        ({"issuer": "id.example.org", "client_id": "val"}, "must be an address like"),
        ({"issuer": "https://id.example.org?realm=a", "client_id": "val"}, "must be an address like"),
        ({"issuer": "https://id.example.org", "client_id": "v" * 501}, "at most 500 characters"),
        ({"label": "a\nb"}, "on one line"),
        ({"email_domains": ("ada@example.org",)}, "what follows the @"),
    ],
)
def test_settings_that_cannot_work_stop_the_start(values: dict[str, Any], message: str) -> None:
    with pytest.raises(Unfit, match=message):
        InstanceSettings(**values)
