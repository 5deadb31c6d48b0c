"""httpx: the asynchronous loop that everyone writes."""

import asyncio
from pathlib import Path

import anyio
import httpx
from _fetch import Wanted, each_async, fetch


async def main(wanted: Wanted) -> None:
    """Fetch the files over one client."""
    async with httpx.AsyncClient(follow_redirects=True) as client:

        async def one(url: str, target: Path) -> None:
            async with client.stream("GET", url, headers=wanted.headers) as response:
                response.raise_for_status()
                with target.open("wb") as file:
                    async for chunk in response.aiter_bytes():
                        file.write(chunk)

        await each_async(one, wanted)


if __name__ == "__main__":
    # httpx imports anyio's part for asyncio with its first connection: that is not to be measured.
    anyio.run(anyio.sleep, 0)
    fetch(lambda wanted: asyncio.run(main(wanted)), "httpx")
