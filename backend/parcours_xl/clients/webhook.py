"""A webhook that takes Slack's JSON: {"text": …}."""

import asyncio

import httpx

from parcours_xl.errors import RetryableError

SEND_S_MAX = 10


class WebhookUnavailable(RetryableError):
    """The webhook does not take messages right now."""

    def __init__(self) -> None:
        super().__init__(self.__doc__ or "")


class Webhook:
    """Tells people. Its address is a secret."""

    def __init__(self, url: str, http: httpx.AsyncClient):
        self._url = url
        self._http = http

    async def send(self, text: str) -> None:
        """Raises WebhookUnavailable."""
        try:
            async with (
                asyncio.timeout(SEND_S_MAX),
                # What it answers is not read: it may be without end.
                self._http.stream("POST", self._url, json={"text": text}) as answer,
            ):
                heard = answer.is_success
        except (httpx.HTTPError, TimeoutError) as error:
            raise WebhookUnavailable from error
        if not heard:
            raise WebhookUnavailable
