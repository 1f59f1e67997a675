"""What uvicorn's WebSocket doesn't have: a limit of messages, and the reason when the process ends.

Frames are counted as they are parsed: what the application receives would be counted late, after all frames of one read
were parsed, and without the pings of the protocol itself.
"""

import time
from collections.abc import Sequence
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

MESSAGES_PER_SECOND = 50.0
BURST = 300.0
"""Messages that may come at once. A message counts as one, and as one more for each KiB."""
SLICE = 4096
"""Bytes that are parsed before the count is looked at."""
LINGER_SECONDS = 2.0
"""How long a client that floods is read and ignored, so that it gets the close frame."""
RESTARTING = 1012, "This server restarts. Connect again, and continue after your last cursor."
"""Code and reason with which WebSockets are closed (RFC 6455: service restart)."""
FLOODING = 4429, "Too many messages. Send fewer, and connect again later."


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """One WebSocket."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._allowance = BURST
        self._counted_at = time.monotonic()
        self._flooding = False

    def data_received(self, data: bytes) -> None:
        """Parses a slice at a time, and nothing more once the client floods."""
        for start in range(0, len(data), SLICE):
            if self._flooding:
                return
            super().data_received(data[start : start + SLICE])

    def handle_events(self) -> None:
        """Counts the frames of a slice, and ignores them all if they are too many."""
        frames = [event for event in self.conn.events if isinstance(event, Frame)]
        if self._within_rate(frames):
            super().handle_events()
            return
        self._flooding = True
        self.conn.events_received()
        while not self.queue.empty():
            self.queue.get_nowait()
        self._close(*FLOODING)
        self.close_sent = True
        self.close_timer = self.loop.call_later(LINGER_SECONDS, self.transport.close)
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()

    def _within_rate(self, frames: Sequence[Frame]) -> bool:
        now = time.monotonic()
        self._allowance = min(BURST, self._allowance + (now - self._counted_at) * MESSAGES_PER_SECOND)
        self._counted_at = now
        self._allowance -= sum(1 + len(frame.data) / 1024 for frame in frames)
        return self._allowance >= 0 or self.close_sent

    def _close(self, code: int, reason: str) -> None:
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))

    def shutdown(self) -> None:
        if self.handshake_complete and not self.close_sent:
            self._close(*RESTARTING)
            self.transport.close()
        else:
            super().shutdown()
