"""What tests of Storage ask for again and again."""

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx

MP3 = {"content-type": "audio/mpeg"}


async def put(
    storage: httpx.AsyncClient, bucket: str, content: bytes, name: str = "folder/track.mp3"
) -> None:
    answer = await storage.put(f"/object/{bucket}/{name}", content=content, headers=MP3)
    assert answer.status_code == 200, answer.text


async def sign(storage: httpx.AsyncClient, bucket: str, name: str = "folder/track.mp3") -> str:
    answer = await storage.post(f"/object/sign/{bucket}/{name}", json={"expiresIn": 60})
    return str(answer.json()["signedURL"])


async def chunks(size: int) -> AsyncIterator[bytes]:
    while size > 0:
        yield bytes(min(size, 1 << 20))
        size -= 1 << 20


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until something is so, for 5 seconds at most."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - files tell nobody when they come and go
            await asyncio.sleep(0.01)
