"""Stores of objects, and what stands in them."""

from obstore.store import LocalStore, MemoryStore


def shown(store: MemoryStore | LocalStore) -> dict[str, bytes]:
    """Return what stands in a store, by name."""
    names = [entry["path"] for page in store.list() for entry in page]
    return {name: bytes(store.get(name).bytes()) for name in sorted(names)}
