"""The vendors on loopback, and one export of everything they offer."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest

from exportjobs import Export, load_adapter
from exportjobs.adapter import Adapter
from exportjobs.sandbox import Fault, Sandbox

Everything: TypeAlias = Callable[[Sandbox], list[Export]]

ORGANIZATION = "vytxeTZskVKR7C7WgdSP3d"
LEADING_IDS = {"forecast": ("deal_owner",), "organization": (ORGANIZATION,)}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Serve the vendors, on their best behaviour."""
    with Sandbox(speed=20) as running:
        yield running


@pytest.fixture
def troubled_sandbox() -> Iterator[Sandbox]:
    """Serve the vendors, with everything that may go wrong going wrong."""
    with Sandbox(tuple(Fault), speed=20) as running:
        yield running


@pytest.fixture
def adapters() -> Callable[[Sandbox], dict[str, Adapter]]:
    """Make an adapter for every account of a sandbox."""

    def make(sandbox: Sandbox) -> dict[str, Adapter]:
        return {
            account.label: load_adapter(account.vendor)(
                **account.credentials, base_url=account.base_url, name=account.label
            )
            for account in sandbox.accounts
        }

    return make


@pytest.fixture
def everything(adapters: Callable[[Sandbox], dict[str, Adapter]]) -> Everything:
    """Ask for one export of every kind of every account."""

    def ask(sandbox: Sandbox) -> list[Export]:
        return [
            getattr(adapter, kind)(*LEADING_IDS.get(kind, ()))
            for adapter in adapters(sandbox).values()
            for kind in adapter.kinds()
        ]

    return ask
