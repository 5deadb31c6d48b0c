"""aiohttp: the asynchronous loop that everyone writes."""

import asyncio
from pathlib import Path

import aiohttp
from _fetch import CHUNK, Wanted, each_async, fetch


async def main(wanted: Wanted) -> None:
    """Fetch the files over one session."""
    async with aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(), raise_for_status=True
    ) as session:

        async def one(url: str, target: Path) -> None:
            async with session.get(url, headers=wanted.headers) as response:
                with target.open("wb") as file:
                    async for chunk in response.content.iter_chunked(CHUNK):
                        file.write(chunk)

        await each_async(one, wanted)


if __name__ == "__main__":
    fetch(lambda wanted: asyncio.run(main(wanted)), "aiohttp")
