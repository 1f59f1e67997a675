"""Output for people: aligned lines, with colours only in a terminal, flushed after each line."""

import sys

from rich.console import Console
from rich.markup import escape


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError, so that the process stops in order; rich's method would exit at once."""
        raise BrokenPipeError("standard output is closed")


console = _Console(highlight=False, soft_wrap=True, emoji=False)
error_console = _Console(highlight=False, soft_wrap=True, emoji=False, stderr=True)
LABEL_WIDTH = 12


def field(label: str, text: str, style: str = "") -> None:
    """Print `label       text`. `style`: of rich, such as `bold green`."""
    console.print(f"  [dim]{escape(label):<{LABEL_WIDTH}}[/dim] [{style or 'default'}]{escape(text)}[/]")
    sys.stdout.flush()


def progress(label: str, text: str) -> None:
    """Show what is running; the next line overwrites it. Without a terminal, print nothing."""
    if console.is_terminal:
        console.print(f"  [cyan]…[/cyan] {escape(label)}   {escape(text)}", end="\r")
        sys.stdout.flush()


def echo(text: str = "", style: str = "") -> None:
    """Print a line."""
    console.print(f"[{style or 'default'}]{escape(text)}[/]" if text else "")
    sys.stdout.flush()


def success(text: str, seconds: float | None = None) -> None:
    """Print a line with a check mark, and with the duration."""
    duration = f"[dim] {seconds:6.2f} s[/dim]" if seconds is not None else ""
    console.print(f"  [green]✓[/green] {escape(text):<62}{duration}")
    sys.stdout.flush()


def error(text: str) -> None:
    """Print an error on stderr: one line that says what to do."""
    error_console.print(f"[red]storefleet:[/red] {escape(text)}")
    sys.stderr.flush()
