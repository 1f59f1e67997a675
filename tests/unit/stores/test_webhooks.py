"""The pauses between the attempts of a webhook."""

from stores.webhooks.deliveries import BACKOFF_SECONDS, MAX_BACKOFF_SECONDS, PATIENCE, backoff


def test_pauses_grow_up_to_a_limit_and_vary() -> None:
    assert 0.8 * BACKOFF_SECONDS <= backoff(1) <= 1.2 * BACKOFF_SECONDS
    assert all(0.8 * MAX_BACKOFF_SECONDS <= backoff(n) <= 1.2 * MAX_BACKOFF_SECONDS for n in (10, 100, 10**6))
    assert len({backoff(5) for _ in range(20)}) > 1
    pauses, attempts = 0.0, 0
    while pauses < PATIENCE.total_seconds():
        attempts += 1
        pauses += backoff(attempts)
    assert 45 < attempts < 75
