"""`python -m cli`: handles SIGTERM from the first moment, then loads the command line, which takes a second.

The first process of a container has no default action for a signal: without a handler SIGTERM would be lost.
"""

import signal
import sys
from types import FrameType
from typing import NoReturn


def terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    """As Ctrl-C: asyncio cancels its tasks, so a statement that Postgres executes is cancelled, too."""
    raise KeyboardInterrupt(signal.SIGTERM)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, terminate)
    try:
        from cli.commands import main
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGTERM)
    sys.exit(main())
