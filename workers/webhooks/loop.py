"""Claims webhooks that have something to send, and sends it: one task each, up to STOREFLEET_WEBHOOKS_AT_ONCE.

A webhook's messages go one after the other, so their order is that of the events. Webhooks that fail take at most half
of the tasks: however many endpoints hang, the others are served. They have a client of their own: a look-up of a name
lasts longer than its attempt where the name server hangs, and holds a thread of the client.
"""

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime

import structlog
from prometheus_client import Counter, Gauge, Histogram

from runtime.database import CONNECTION_ERRORS
from runtime.sealing import UnsealError
from runtime.tasks import cancel_and_wait
from stores.webhooks.deliveries import (
    Attempt,
    Message,
    WebhookLease,
    WebhookLeaseLost,
    claim_due_webhooks,
    next_message,
    record_attempt,
    release_lease,
    release_webhooks,
)
from stores.webhooks.secrets import open_secret
from stores.webhooks.urls import host_of
from workers.context import Context
from workers.webhooks.body import message_body, signed_headers
from workers.webhooks.client import ATTEMPT_SECONDS, WebhookClient, open_client

POLL_SECONDS = 1.0
TURN_SECONDS = 10.0
"""How long a webhook with many messages is served before others get its task."""
FINISH_SECONDS = 2.0
"""How long the attempts of a worker that ends may continue."""
DATABASE_SESSIONS = 4
"""At the same time: the reconcile passes use the same pool of connections."""

ATTEMPTS = Counter("storefleet_webhook_attempts", "Attempts to send a webhook's message, by result", ["result"])
SENDING = Gauge("storefleet_webhooks_sending", "Webhooks whose messages this worker sends now")
SECONDS = Histogram("storefleet_webhook_seconds", "How long an attempt took")

log = structlog.get_logger()


class WebhookLoop:
    """One per worker. `run` sends messages for ever; `close` ends what it has begun."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._tasks: dict[asyncio.Task[None], bool] = {}
        """The running turns, and whether their webhooks fail."""
        self._database = asyncio.Semaphore(DATABASE_SESSIONS)
        self._poll_now = asyncio.Event()

    async def run(self) -> None:
        """Never returns. Raises database errors; it can be called again."""
        settings = self._context.settings
        async with (
            open_client(settings.webhook_private_networks, settings.webhooks_at_once) as client,
            open_client(settings.webhook_private_networks, settings.webhooks_at_once) as client_of_failing,
        ):
            try:
                while True:
                    self._poll_now.clear()
                    await self._claim(client, client_of_failing)
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._poll_now.wait(), POLL_SECONDS)
            finally:
                await self._finish()  # before the client closes

    async def close(self) -> None:
        """Hand the leases on. Call it after `run` has ended."""
        try:
            async with asyncio.timeout(FINISH_SECONDS), self._context.sessions.begin() as session:
                await release_webhooks(session, self._context.holder)
        except CONNECTION_ERRORS as error:
            log.warning("webhook.leases_not_released", error=repr(error), hint="they expire")

    async def _finish(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=FINISH_SECONDS)
        await cancel_and_wait(*self._tasks)

    async def _claim(self, client: WebhookClient, client_of_failing: WebhookClient) -> None:
        at_once = self._context.settings.webhooks_at_once
        for failing in (False, True):
            free = at_once - len(self._tasks)
            if failing:
                free = min(free, max(1, at_once // 2) - sum(self._tasks.values()))
            if free <= 0:
                continue
            async with self._database, self._context.sessions.begin() as session:
                leases = await claim_due_webhooks(session, holder=self._context.holder, failing=failing, limit=free)
            for lease in leases:
                task = asyncio.create_task(self._turn(client_of_failing if failing else client, lease))
                self._tasks[task] = failing
                task.add_done_callback(self._on_done)
        SENDING.set(len(self._tasks))

    def _on_done(self, task: asyncio.Task[None]) -> None:
        if len(self._tasks) >= self._context.settings.webhooks_at_once:
            self._poll_now.set()
        del self._tasks[task]
        SENDING.set(len(self._tasks))

    async def _turn(self, client: WebhookClient, lease: WebhookLease) -> None:
        with structlog.contextvars.bound_contextvars(webhook=str(lease.webhook_id)):
            try:
                await self._send_all(client, lease)
            except WebhookLeaseLost:
                log.info("webhook.lease_lost", hint="its owner changed it, or another worker continues")
            except CONNECTION_ERRORS as error:
                log.warning("webhook.interrupted", error=repr(error), hint="continues when its lease expires")
            except Exception:
                # a bug must not end the worker; the webhook is claimed again when its lease expires
                log.exception("webhook.crashed")

    async def _send_all(self, client: WebhookClient, lease: WebhookLease) -> None:
        """Until nothing is due, an attempt fails, or the turn is over."""
        ends = time.monotonic() + TURN_SECONDS
        while time.monotonic() < ends and not self._context.stopping.is_set():
            async with self._database, self._context.sessions.begin() as session:
                message = await next_message(session, lease)
            if message is None:
                return
            if lease.seconds_left <= ATTEMPT_SECONDS:
                raise WebhookLeaseLost  # the database was slow: another worker may send before this attempt ends
            attempt = await self._send(client, message)
            async with self._database, self._context.sessions.begin() as session:
                go_on = await record_attempt(session, lease, message, attempt)
            if not go_on:
                break
        async with self._database, self._context.sessions.begin() as session:
            await release_lease(session, lease)

    async def _send(self, client: WebhookClient, message: Message) -> Attempt:
        now = datetime.now(UTC)
        keys = self._context.admin_keys
        try:
            secrets = [open_secret(keys, message.webhook_id, sealed) for sealed in message.sealed_secrets]
        except UnsealError as error:
            log.error("webhook.secret_unreadable", error=str(error))
            attempt = Attempt(0, None, "Its secret can't be opened: rotate it.")
        else:
            body = message_body(message, now)
            with SECONDS.time():
                attempt = await client.post(message.url, body, signed_headers(message, body, secrets, now))
        ATTEMPTS.labels("delivered" if attempt.error is None else "failed").inc()
        if attempt.error is not None:
            log.info("webhook.failed", host=host_of(message.url), attempt=message.attempt, error=attempt.error)
        return attempt
