"""obstore: its HTTP store, streamed to a file."""

import asyncio
from pathlib import Path

from _fetch import CHUNK, Wanted, each_async, fetch
from obstore.store import HTTPStore


async def main(wanted: Wanted) -> None:
    """Fetch the files."""
    options = {"allow_http": True}
    if wanted.headers:
        options["default_headers"] = dict(wanted.headers)
    store = HTTPStore.from_url(wanted.base_url, client_options=options)

    async def one(url: str, target: Path) -> None:
        response = await store.get_async(url.removeprefix(wanted.base_url).lstrip("/"))
        with target.open("wb") as file:
            async for chunk in response.stream(min_chunk_size=CHUNK):
                file.write(chunk)

    await each_async(one, wanted)


if __name__ == "__main__":
    fetch(lambda wanted: asyncio.run(main(wanted)), "obstore")
