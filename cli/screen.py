"""What the terminal shows: calm aligned lines, coloured only where somebody looks; flushed at once everywhere else."""

import sys

from rich.console import Console
from rich.markup import escape


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """An error as any other, so that it passes through tasks; rich's own would end the process out of order."""
        raise BrokenPipeError("nobody reads what is printed")


console = _Console(highlight=False, soft_wrap=True, emoji=False)
errors = _Console(highlight=False, soft_wrap=True, emoji=False, stderr=True)
LABEL = 12


def line(label: str, text: str, style: str = "") -> None:
    """`label       text`."""
    console.print(f"  [dim]{escape(label):<{LABEL}}[/dim] [{style or 'default'}]{escape(text)}[/]")
    sys.stdout.flush()


def pending(label: str, text: str) -> None:
    """Something goes on: the next line is written over this one. Says nothing where nobody looks."""
    if console.is_terminal:
        console.print(f"  [cyan]…[/cyan] {escape(label)}   {escape(text)}", end="\r")
        sys.stdout.flush()


def say(text: str = "", style: str = "") -> None:
    """A line of its own."""
    console.print(f"[{style or 'default'}]{escape(text)}[/]" if text else "")
    sys.stdout.flush()


def done(text: str, seconds: float | None = None) -> None:
    """Something went well."""
    took = f"[dim] {seconds:6.2f} s[/dim]" if seconds is not None else ""
    console.print(f"  [green]✓[/green] {escape(text):<62}{took}")
    sys.stdout.flush()


def failed(text: str) -> None:
    """Something went wrong; on stderr, one line, with what to do."""
    errors.print(f"[red]storefleet:[/red] {escape(text)}")
    sys.stderr.flush()
