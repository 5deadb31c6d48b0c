"""Check that credentials are shown nowhere, and sent to the adapter's own origin only."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from attrs import Attribute, evolve, fields

from exportjobs._http.origins import below
from exportjobs.adapter import Adapter, credential
from exportjobs.adapter._errors import InvalidArgument, UntrustedAddress
from exportjobs.adapter._flow import Request
from exportjobs.adapter._job import ExportJob
from exportjobs.testing._breach import Breach
from exportjobs.testing._recorded import Recorded
from exportjobs.testing._scenes import Heard, jobs, line, scenes, submitted

_SOUNDS_SECRET = re.compile(r"key|token|secret|password|passphrase|credential")
_SHORTEST = 6
_ORIGINS = {"base_url", "sign_in_url"}


def secrets(adapter: Adapter) -> Mapping[str, str]:
    """Return an adapter's credentials by field: the arguments with repr=False."""
    hidden = [one for one in _arguments(adapter) if not one.repr and not _is_address(one)]
    values = {one.name.lstrip("_"): getattr(adapter, one.name) for one in hidden}
    return {name: value for name, value in values.items() if value and isinstance(value, str)}


def _arguments(adapter: Adapter) -> "list[Attribute[Any]]":
    return [one for one in fields(type(adapter)) if one.init]


def _is_address(one: "Attribute[Any]") -> bool:
    return one.name.endswith("_url")


def revealed(adapter: Adapter, text: str) -> str | None:
    """Return which of an adapter's credentials a text contains, plain or quoted for a URL."""
    for name, secret in secrets(adapter).items():
        if secret in text or quote(secret, safe="") in text:
            return name
    return None


def check_declared(recorded: Recorded) -> None:
    """Check that fields with credentials are declared so, and their values can be found."""
    for one in _arguments(recorded.adapter):
        if one.repr and _holds_credential(one):
            remedy = f"declare it as {one.name}: str = field(repr=False, validator=credential)"
            raise Breach(f"the adapter's repr shows its {one.name}, a credential", remedy)
    for name, secret in secrets(recorded.adapter).items():
        if len(secret) < _SHORTEST:
            remedy = f"invent one of {_SHORTEST} characters or more"
            raise Breach(f"the recorded {name} is too short to search for", remedy)


def _holds_credential(one: "Attribute[Any]") -> bool:
    sounds_secret = one.type in {str, str | None} and _SOUNDS_SECRET.search(one.name) is not None
    return one.validator is credential or (sounds_secret and not _is_address(one))


def check_refused(recorded: Recorded) -> None:
    """Check that an account without credentials, or without encryption, is rejected."""
    names = {one.name for one in _arguments(recorded.adapter)}
    wrong = [(name, "http://vendor.example") for name in sorted(names & _ORIGINS)]
    wrong += [(name, blank) for name in secrets(recorded.adapter) for blank in ("", " ")]
    for name, value in wrong:
        try:
            evolve(recorded.adapter, **{name: value})
        except InvalidArgument:
            continue
        remedy = "declare it with validator=credential, and call super().__attrs_post_init__()"
        raise Breach(f"the adapter accepts {value!r} as its {name}", remedy)


def check_shown_nowhere(recorded: Recorded) -> None:
    """Check that no repr and no JSON contains a credential."""
    for where, text in _shown(recorded):
        name = revealed(recorded.adapter, text)
        if name is not None:
            raise Breach(
                f"{where} shows the {name}", "keep credentials out of it, whole or in part"
            )


def _shown(recorded: Recorded) -> Iterator[tuple[str, str]]:
    adapter, export, ref = recorded.adapter, recorded.export, submitted(recorded)
    yield "the adapter's repr", f"{adapter!r} {adapter}"
    yield "the export's repr", repr(export)
    yield "the export's JSON", export.to_json()
    yield "the job's ref", ref.to_json()
    for scene in scenes(recorded):
        heard: Heard = scene.play()
        yield f"{scene.name}: the repr of a request", repr(heard.requests)
        yield f"{scene.name}: the repr of a signed request", repr(heard.signed)
        yield f"{scene.name}: the repr of what it returns", repr(heard.outcome)


def check_own_origin(recorded: Recorded) -> None:
    """Check that credentials are sent below the adapter's base URL and nowhere else."""
    adapter = recorded.adapter
    for scene in scenes(recorded):
        heard = scene.play()
        for request, signed in zip(heard.requests, heard.signed, strict=True):
            _check_signed(request, signed, scene.name, adapter)
    for word, job in jobs(recorded).items():
        _check_addresses(word, job, adapter)


def _check_signed(request: Request, signed: Request, scene: str, adapter: Adapter) -> None:
    if not _is_below(adapter, signed.path):
        remedy = "yield paths below the base URL; a file on another host is an Artifact"
        raise Breach(f"{scene} sends the credentials to another origin", remedy)
    if (signed.method, signed.path) != (request.method, request.path):
        mistake = f"authenticate turns {line(request)} into {line(signed)}"
        raise Breach(mistake, "add headers or a query, nothing else")
    if revealed(adapter, signed.path):
        raise Breach(f"{scene} has a credential in its path", "send it in a header")


def _check_addresses(word: str, job: ExportJob, adapter: Adapter) -> None:
    for artifact in job.artifacts:
        which, name = f"the artifact in state {word!r}", revealed(adapter, artifact.url)
        if name is not None:
            remedy = "use the URL as the vendor gave it, or set authenticated"
            raise Breach(f"{which} has the {name} in its URL", remedy)
        if artifact.authenticated and not _is_below(adapter, artifact.url):
            mistake = f"{which} sends the credentials to another origin"
            raise Breach(mistake, "leave out authenticated: a signed URL needs no credentials")


def _is_below(adapter: Adapter, path: str) -> bool:
    try:
        below(adapter.base_url, path)
    except UntrustedAddress:
        return False
    return True
