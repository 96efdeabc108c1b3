"""Other platforms, for the people of an enterprise: who may read its goods there, and goods of its own account.

A producer lets platforms read its goods and order them, and takes goods in from an account that it has at one. A hub
sells what a platform lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.responses import Response

from commensal import (
    Conflict,
    Enterprise,
    Invalid,
    NotFound,
    Problem,
    Screen,
    Secret,
    Transaction,
    demand,
    say,
    url_problem,
)
from commensal.catalogs import first_catalog
from commensal.pages import Visit, on_refusal
from commensal.parts.product_lists import ListReport, read_defaults

from ..catalogue.listings import added_percent, margin_of
from ..dfc.findings import DocumentFinding, UnreadableDocument
from ..dfc.importing import DfcReport, plan_document
from ..dfc.read import DfcDocument
from ..linked_catalogues.client import DfcClient
from ..linked_catalogues.links import enqueue_refresh, link_by_id, link_catalogue, links_of, unlink
from ..linked_catalogues.pages import read_catalogue
from ..linked_catalogues.pictures import enqueue_pictures
from ..linked_catalogues.values import Access, Auth
from ..platforms.accounts import forget_account, name_account
from ..platforms.scopes import SCOPES, PlatformAccess, grant_scopes, platform_access, platforms_of
from ..runtime import federation_of
from ..settings import FederationSettings
from .producers_elsewhere import typed_margin

SELLING, BUYING = "hubs/platforms", "producers/platforms"
_MOST_SHOWN = 20  # findings
_FIELDS = ("url", "auth", "name", "margin", "category", "vat", "without_vat", "issuer", "client", "account")
_AUTHS: dict[str, Auth] = {"": "none", "api_key": "api_key", "token": "token"}
# What a platform may do, in steps. A step has all scopes of the one before.
STEPS: dict[str, tuple[str, ...]] = {
    "": (),
    "read": ("ReadEnterprise", "ReadProducts"),
    "order": ("ReadEnterprise", "ReadProducts", "ReadOrders", "WriteOrders"),
    "write": ("ReadEnterprise", "ReadProducts", "WriteProducts", "ReadOrders", "WriteOrders"),
}


# ------------------------------------------------------------------------------------------------ a producer


def selling_page(
    visit: Visit, producer: Enterprise, report: tuple[DfcReport, Sequence[DocumentFinding]] | None = None
) -> Screen:
    with visit.read() as tx:
        platforms = platforms_of(federation_of(visit.instance), tx, producer.id)
    context = {
        "places": _places(federation_of(visit.instance).settings),
        "chosen": visit.form.get("issuer", ""),
        "platforms": [(platform, _step_of(platform)) for platform in platforms],
        "here": _here(producer, SELLING),
        "typed": _typed(visit),
        "done": visit.query.get("done", ""),
        "is_trial": "trial" in visit.form,
        **(_told(visit, *report) if report else {"report": None}),
    }
    return Screen(template="federation/platforms_selling.html", context=context)


@on_refusal(selling_page)
def post_selling(visit: Visit, producer: Enterprise) -> Screen | Response:
    """Lets a platform do something, names or forgets an account there, or takes goods in from one."""
    action = visit.query.get("then", "")
    changes = {"let": _let, "name": _name, "forget": _forget}
    if action in changes:
        with visit.write() as tx:
            demand(tx, visit.actor, "grants:write", producer.id)
            changes[action](visit, tx, producer)
        return visit.redirect(f"/office/{producer.id}/{SELLING}?done=let")
    if action == "take-in":
        return selling_page(visit, producer, report=_take_in(visit, producer))
    raise NotFound


def _told(visit: Visit, report: DfcReport, findings: Sequence[DocumentFinding]) -> dict[str, object]:
    """What an import has done, and what it noticed, in the visitor's language: texts with their place or count."""
    problems = report.list_report.problems[:_MOST_SHOWN]
    noticed = (*findings, *report.findings)[:_MOST_SHOWN]
    return {
        "report": report.list_report,
        "problems": [(say(visit.language, problem), problem.where) for problem in problems],
        "findings": [(say(visit.language, finding.problem), finding.count) for finding in noticed],
    }


def _step_of(platform: PlatformAccess) -> str:
    """The step that the platform's scopes are; "own" for any others, which the JSON API can grant."""
    return next((step for step, scopes in STEPS.items() if set(scopes) == set(platform.scopes)), "own")


def _let(visit: Visit, tx: Transaction, producer: Enterprise) -> None:
    _grant_step(visit, tx, producer, visit.form.get("platform", ""))


def _grant_step(visit: Visit, tx: Transaction, producer: Enterprise, platform_id: str) -> None:
    federation, step = federation_of(visit.instance), visit.form.get("step", "")
    before = platform_access(federation, tx, producer.id, platform_id)
    if step not in STEPS:
        raise Conflict("no_step", "Choose what the platform may do.")
    scopes = [scope for scope in SCOPES if scope in STEPS[step]]
    grant_scopes(
        federation, tx, producer.id, before.id, scopes, customer_id=before.customer_id, by=visit.actor.person_id
    )


def _name(visit: Visit, tx: Transaction, producer: Enterprise) -> None:
    """Names one account at a platform, and lets it do something."""
    form, settings = visit.form, federation_of(visit.instance).settings
    issuer, _, client = form.get("issuer", "").partition(" ")
    account = name_account(
        settings,
        tx,
        producer.id,
        issuer=issuer,
        client=client or form.get("client", ""),
        account=form.get("account", ""),
        name=form.get("name", ""),
        by=visit.actor.person_id,
    )
    _grant_step(visit, tx, producer, account)


def _forget(visit: Visit, tx: Transaction, producer: Enterprise) -> None:
    forget_account(tx, producer.id, visit.form.get("platform", ""))


def _places(settings: FederationSettings) -> dict[str, str]:
    """Where an account may be: "issuer client" of each platform of the settings, and "issuer" of any other, with what
    people call it."""
    known = {
        f"{platform.issuer} {platform.client or platform.id}": platform.name or platform.id
        for platform in reversed(settings.platforms)  # the first platform of a client has its name
    }
    others = {issuer.issuer: urlsplit(issuer.issuer).netloc for issuer in settings.oidc_issuers}
    return dict(reversed(known.items())) | others


def _take_in(visit: Visit, producer: Enterprise) -> tuple[DfcReport, Sequence[DocumentFinding]]:
    """Reads the goods at the address and imports them, or only says what that would do."""
    form, federation = visit.form, federation_of(visit.instance)
    with visit.read() as tx:
        demand(tx, visit.actor, "products:write", producer.id)
    defaults = read_defaults(form.get("category", "").strip(), form.get("vat", "").strip(), producer.language)
    document = _read_account(visit)
    supplier = form.get("supplier", "").strip()
    try:
        with visit.read() as tx:
            planned = plan_document(
                tx,
                federation.base,
                producer,
                document,
                defaults=defaults,
                supplier=supplier,
                prices_include_vat="without_vat" not in form,
            )
        if "trial" in form:
            return planned.report, document.findings
        with visit.write() as tx:
            demand(tx, visit.actor, "products:write", producer.id)
            report = planned.commit(tx, person_id=visit.actor.person_id)
            enqueue_pictures(tx, report.pictures)
    except UnreadableDocument as error:
        raise Conflict(error.code, "No goods with a size and a price were found there.") from error
    except Invalid as error:
        nothing = ListReport(created=0, changed=0, unchanged=0, unused=(), problems=error.problems)
        return DfcReport(list_report=nothing, findings=()), document.findings
    return report, document.findings


def _read_account(visit: Visit) -> DfcDocument:
    """The document at the typed address. Raises `Invalid` for an address or a key that cannot be, `NotAnswered`."""
    url, auth, secret = _account(visit)
    problem = url_problem(visit.instance, url, "/url")
    problems = [problem] if problem is not None else []
    if auth != "none" and not secret:
        problems.append(Problem("secret", "Give the key of your account there.", "/secret"))
    if not secret.isprintable():
        problems.append(Problem("secret", "This has characters that cannot be sent.", "/secret"))
    if problems:
        raise Invalid(problems)
    access = Access(url=url, auth=auth, secret=Secret(secret))
    document = read_catalogue(DfcClient(federation_of(visit.instance), access)).document
    assert document is not None, "it was asked for without a tag"
    return document


# ------------------------------------------------------------------------------------------------ a hub


def buying_page(visit: Visit, hub: Enterprise) -> Screen:
    with visit.read() as tx:
        links = links_of(tx, enterprise_id=hub.id)
    context = {
        "hub": hub,
        "links": links,
        "margin_of": margin_of,
        "here": _here(hub, BUYING),
        "typed": _typed(visit),
        "done": visit.query.get("done", ""),
    }
    return Screen(template="federation/platforms_buying.html", context=context)


@on_refusal(buying_page)
def post_buying(visit: Visit, hub: Enterprise) -> Screen | Response:
    """Links goods of a platform, reads them again, or takes them off sale."""
    action = visit.query.get("then", "")
    with visit.write() as tx:
        _change_links(visit, tx, hub, action)
    return visit.redirect(f"/office/{hub.id}/{BUYING}?done={action}")


def _change_links(visit: Visit, tx: Transaction, hub: Enterprise, action: str) -> None:
    demand(tx, visit.actor, "catalogs:write", hub.id)
    link_id = visit.form.get("link", "")
    if action == "link":
        _link(visit, tx, hub)
    elif action == "read":
        enqueue_refresh(tx, link_by_id(tx, link_id, enterprise_id=hub.id).id)
    elif action == "unlink":
        unlink(tx, hub.id, link_id)
    else:
        raise NotFound


def _link(visit: Visit, tx: Transaction, hub: Enterprise) -> None:
    """Lists the goods in the hub's first catalogue. Raises `Invalid` with every mistake, `Conflict`."""
    form, added = visit.form, added_percent(typed_margin(visit.form.get("margin", "")))
    url, auth, secret = _account(visit)
    defaults = read_defaults(form.get("category", "").strip(), form.get("vat", "").strip(), hub.language)
    link_catalogue(
        federation_of(visit.instance),
        tx,
        hub.id,
        url,
        by=visit.actor.person_id,
        auth=auth,
        secret=secret,
        name=form.get("name", "").strip()[:200],
        catalog_id=first_catalog(tx, hub.id).id,
        margin=added,
        default_type=defaults.category or "",
        default_vat=defaults.vat_rate,
        prices_include_vat="without_vat" not in form,
    )


# ------------------------------------------------------------------------------------------------


def _account(visit: Visit) -> tuple[str, Auth, str]:
    """The typed address, the kind of key, and the key."""
    form = visit.form
    auth = _AUTHS.get(form.get("auth", ""), "none")
    return form.get("url", "").strip(), auth, form.get("secret", "").strip() if auth != "none" else ""


def _typed(visit: Visit) -> dict[str, str]:
    """What was typed, but for the key, which no page shows again."""
    return {name: visit.form.get(name, "") for name in (*_FIELDS, "supplier")}


def _here(enterprise: Enterprise, path: str) -> str:
    return f"/office/{enterprise.id}/{path}"
