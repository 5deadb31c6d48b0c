"""The sandbox against the schemas of its vendors: no answer may say more or less than they do."""

import json
import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from attrs import evolve, frozen
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for

from exportjobs.sandbox import Fault, Sandbox

from .support import LABELS, Customer, Enter, Hire, Json, ManualClock, StruckBy

SCHEMAS: Final = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in (Path(__file__).parent / "schemas").glob("*.json")
}

CLARI: Final = "clari_openapi"
DEMANDBASE: Final = "demandbase_data_export"


@frozen
class Rule:
    """Which schema an answer has to satisfy."""

    method: str
    path: str
    statuses: tuple[int, ...]
    schema: str
    definition: str = ""
    envelope: str = ""
    is_list: bool = False


def _clari_rules() -> list[Rule]:
    job = r"/export/jobs/\w+"
    submit = r"/export/\w+(/\w+)?"
    return [
        Rule("POST", r"/export/forecast/\w+", (200,), CLARI, "forecast_accepted"),
        Rule("POST", r"/export/(activity|audit/events)", (202,), CLARI, "accepted"),
        Rule("POST", r"/export/forecast/\w+", (400,), CLARI, "forecast_error|quota_error"),
        Rule("POST", "/export/activity", (400,), CLARI, "activity_error|quota_error"),
        Rule("POST", "/export/audit/events", (400,), CLARI, "audit_error|quota_error"),
        Rule("GET", "/export/jobs", (200,), CLARI, "job_list"),
        Rule("GET", job, (200,), CLARI, "job"),
        Rule("(GET|PATCH)", job, (400,), CLARI, "job_error|cancel_error"),
        Rule("PATCH", job, (200,), CLARI, "cancelled"),
        Rule("GET", job + "/results", (400,), CLARI, "results_error"),
        Rule("GET", "/admin/limits", (200,), CLARI, "limits"),
        Rule("(GET|POST)", f"{submit}|{job}", (401, 429), CLARI, "authentication_error"),
        Rule("GET", job, (500,), CLARI, "server_error"),
    ]


def _wrapped(rules: Iterable[Rule]) -> list[Rule]:
    envelopes = {"job": "job", "job_list": "jobs"}
    return [evolve(rule, envelope=envelopes.get(rule.definition, "")) for rule in rules]


def _seed_000(rules: Iterable[Rule]) -> list[Rule]:
    return [
        Rule("POST", r"/export/forecast/\w+", (202,), CLARI, "accepted"),
        Rule("GET", "/export/jobs", (200,), "clari_export_job", is_list=True),
        Rule("GET", r"/export/jobs/\w+", (200,), "clari_export_job"),
        *(rule for rule in rules if rule.definition not in {"job", "job_list"}),
    ]


def _demandbase_rules() -> list[Rule]:
    root = "/data/export/v1"
    return [
        Rule("POST", "/auth/v1/token", (200,), DEMANDBASE, "token"),
        Rule("POST", rf"{root}/(\w+/)?job", (202,), DEMANDBASE, "job_details"),
        Rule("GET", rf"{root}/job/[\w-]+", (200,), DEMANDBASE, "job_status"),
        Rule("GET", rf"{root}/jobs", (200,), DEMANDBASE, "job_list"),
        Rule("(GET|POST)", ".*", (400, 401, 404, 429, 500), DEMANDBASE, "error"),
    ]


RULES: Final[Mapping[str, list[Rule]]] = {
    "clari": _clari_rules(),
    "clari-wire": _wrapped(_clari_rules()),
    "clari-schema": _seed_000(_clari_rules()),
    "demandbase": _demandbase_rules(),
    "demandbase-v1": [
        Rule("POST", "/export/v1/jobs", (202,), "demandbase_export_job"),
        Rule("(GET|DELETE)", r"/export/v1/jobs/\w+", (200,), "demandbase_export_job"),
        Rule(
            "GET", "/export/v1/jobs", (200,), "demandbase_export_job", envelope="jobs", is_list=True
        ),
    ],
    "closient": [
        Rule("(GET|POST)", r"/dashboard/api/v1/data-export/.*", (200,), "closient_export_job"),
    ],
    "csv": [
        Rule(
            "(GET|POST)",
            r"/tenants/\w+/clients/export/csv.*",
            (200, 201, 202),
            "csv_export_job_dto",
        ),
    ],
}

# Vendors that describe no body for their errors.
SILENT: Final = {"demandbase-v1", "closient", "csv"}
# Named by the vendor outside of the schema: in the example of GET /export/jobs/{jobId}.
EXAMPLE_ONLY: Final = {"deliveryStatusMap": {"type": "object"}}
CANCELLING: Final = {"clari", "clari-wire", "clari-schema", "demandbase-v1", "csv"}
STRUCK: Final = [Fault.throttle, Fault.server_error, Fault.concurrency_full]


def strict(schema: Json) -> Json:
    """Return a schema that refuses every property it does not name."""
    closed = deepcopy(schema)
    if closed.get("type") == "object" and "properties" in closed:
        properties = {name: strict(value) for name, value in closed["properties"].items()}
        if "deliveryStatusMap" not in properties and "cellsTruncated" in properties:
            properties |= EXAMPLE_ONLY
        closed |= {"properties": properties, "additionalProperties": False}
    if "items" in closed:
        closed["items"] = strict(closed["items"])
    if "$defs" in closed:
        closed["$defs"] = {name: strict(value) for name, value in closed["$defs"].items()}
    return closed


def problems(rule: Rule, body: Json | list[Json]) -> list[str]:
    """Return what a body has that its schema does not allow."""
    schema = strict(SCHEMAS[rule.schema])
    if rule.definition:
        refs = [{"$ref": f"#/$defs/{name}"} for name in rule.definition.split("|")]
        schema = {"$schema": schema["$schema"], "$defs": schema["$defs"], "anyOf": refs}
    checker = Draft202012Validator.FORMAT_CHECKER
    validator = Draft202012Validator(schema, format_checker=checker)
    found: Any = body[rule.envelope] if isinstance(body, dict) and rule.envelope else body
    each = found if rule.is_list else [found]
    return [error.message for one in each for error in validator.iter_errors(one)]


def rule_for(label: str, answer: httpx.Response, base_path: str) -> Rule | None:
    """Return the rule of an answer."""
    path = answer.request.url.path.removeprefix(base_path)
    for rule in RULES[label]:
        request_fits = re.fullmatch(rule.method, answer.request.method) and re.fullmatch(
            rule.path, path
        )
        if request_fits and answer.status_code in rule.statuses:
            return rule
    return None


def check(customer: Customer) -> int:
    """Check every JSON answer a customer got, and return how many there were."""
    label = customer.account.label
    base_path = httpx.URL(customer.account.base_url).path
    count = 0
    for answer in customer.answers:
        about = f"{answer.request.method} {answer.request.url.path} {answer.status_code}"
        if not answer.content or not answer.headers["Content-Type"].startswith("application/json"):
            continue
        if answer.request.url.path.endswith("/results") and answer.is_success:
            continue
        if label in SILENT and answer.is_error:
            continue
        rule = rule_for(label, answer, base_path)
        assert rule is not None, f"no schema for {about}: {answer.text[:200]}"
        assert problems(rule, answer.json()) == [], about
        count += 1
    return count


def _live(customer: Customer, clock: ManualClock) -> str:
    """Watch a job from the queue to its end."""
    job_id = customer.start()
    for _ in range(40):
        customer.status(job_id)
        clock.advance(0.05)
    clock.advance(60)
    customer.status(job_id)
    return job_id


def _live_clari(customer: Customer, clock: ManualClock) -> None:
    done = _live(customer, clock)
    jobs = [customer.start("/export/audit/events"), customer.start("/export/activity")]
    customer.request("GET", f"/export/jobs/{jobs[0]}/results")
    customer.request("GET", "/admin/limits")
    customer.request("GET", "/export/jobs")
    customer.request("PATCH", f"/export/jobs/{jobs[0]}", json={"type": "CANCEL"})
    clock.advance(60)
    for job_id in (*jobs, done):
        customer.request("GET", f"/export/jobs/{job_id}/results")
        customer.request("PATCH", f"/export/jobs/{job_id}", json={"type": "CANCEL"})
        customer.request("PATCH", f"/export/jobs/{job_id}", json={"type": "DELETE"})
    customer.submit("/export/forecast/deal_owner", typesToExport=["quota_value"])
    customer.submit("/export/forecast/deal_owner", exportFormat="XML")
    customer.request("POST", "/export/forecast/deal_owner", content=b"{")
    customer.submit("/export/activity", exportFormat="CSV")
    customer.submit("/export/audit/events", sessionType="FAX")
    for _ in range(4):
        customer.submit("/export/activity")
    clock.advance(60)
    customer.request("GET", "/export/jobs")
    customer.request("GET", "/admin/limits")
    customer.status("0" * 24)
    customer.http.headers["apikey"] = "wrong"
    customer.status(done)


def _live_demandbase(customer: Customer, clock: ManualClock) -> None:
    export = "/data/export/v1"
    for entity in ("account", "activity", "Person"):
        customer.submit(f"{export}/job", entityType=entity, jobName=entity, format="CSV")
        customer.submit(f"{export}/job", entityType=entity, jobName="refused: one at a time")
        clock.advance(60)
    customer.submit(f"{export}/job", entityType="Person", jobName="json", format="JSON")
    clock.advance(60)
    customer.submit(f"{export}/accountList/job", jobName="lists", accountListIds=[1])
    clock.advance(60)
    customer.submit(f"{export}/personList/job", jobName="lists", personListIds=[1])
    clock.advance(60)
    for answer in list(customer.answers):
        if answer.status_code == httpx.codes.ACCEPTED.value:
            customer.status(answer.json()["jobId"])
    customer.request("GET", f"{export}/jobs?perPage=2&page=2")
    customer.request("GET", f"{export}/jobs?sort=sideways&page=0")
    customer.submit(f"{export}/job", jobNames="unknown")
    customer.status("00000000-0000-4000-8000-000000000000")
    customer.http.headers["Authorization"] = "Bearer wrong"
    customer.request("GET", f"{export}/jobs")


def _live_demandbase_v1(customer: Customer, clock: ManualClock) -> None:
    for entity in ("accounts", "activities", "buying_groups"):
        customer.start("/export/v1/jobs", entity_type=entity, fields=["name"], filters={"a": 1})
    cancelled = customer.start()
    customer.request("DELETE", f"/export/v1/jobs/{cancelled}")
    clock.advance(60)
    customer.request("GET", "/export/v1/jobs?limit=100")


@pytest.mark.parametrize("label", LABELS)
def test_every_answer_of_a_job_s_life_satisfies_the_vendor_s_schema(
    label: str, enter: Enter, clock: ManualClock, sandbox: Sandbox
) -> None:
    """Done, failed or cancelled: whatever the API answers, its vendor's schema allows."""
    customer = enter(label)

    _live(customer, clock)
    sandbox.fail_next(label)
    _live(customer, clock)
    if label in CANCELLING:
        sandbox.cancel_next(label)
        _live(customer, clock)
    if label.startswith("clari"):
        _live_clari(customer, clock)
    elif label == "demandbase":
        _live_demandbase(customer, clock)
    elif label == "demandbase-v1":
        _live_demandbase_v1(customer, clock)

    assert check(customer) > 80


@pytest.mark.parametrize("label", LABELS)
def test_refusals_that_faults_bring_about_are_in_the_vendor_s_form(
    label: str, hire: Hire, struck_by: StruckBy
) -> None:
    """A struck request gets the vendor's own error body, or the page of a gateway before it."""
    customer = hire(struck_by(*STRUCK).sandbox, label)
    job_id = customer.insist()

    for _ in range(6):
        customer.status(job_id)

    statuses = {answer.status_code for answer in customer.answers}
    assert 429 in statuses
    assert statuses & {500, 502, 503}
    assert check(customer)


@pytest.mark.parametrize(
    ("kind", "path"), [("activity", "/export/activity"), ("audit", "/export/audit/events")]
)
def test_clari_s_json_results_satisfy_the_schemas_of_x_export_results(
    kind: str, path: str, enter: Enter, clock: ManualClock
) -> None:
    """What is in an activity or audit file is what seed 002 says is in it."""
    customer = enter("clari")
    job_id = customer.start(path)
    clock.advance(60)

    body = customer.request("GET", f"/export/jobs/{job_id}/results").json()

    assert problems(Rule("GET", "", (200,), CLARI, f"{kind}_results"), body) == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schemas_are_schemas(name: str) -> None:
    """A schema that is no schema would allow everything."""
    # Seed 001's $id is a reference into an OpenAPI document, which no schema of its own may have.
    schema = {key: value for key, value in SCHEMAS[name].items() if key != "$id"}

    validator_for(schema).check_schema(schema)


def test_an_undeclared_property_is_found() -> None:
    """The check itself fails for what no schema names, at any depth."""
    body = {"jobs": {"concurrentLimit": 3, "concurrencyLimit": 3}}

    assert problems(Rule("GET", "", (200,), CLARI, "limits"), body) != []
