"""What the command says. Names from files cannot break a line or control the terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TextIO


class UserError(Exception):
    """A mistake of the user. The command prints its message in one line."""


def say(text: str) -> None:
    """Print a text on the standard output."""
    _print(text, sys.stdout)


def say_aside(text: object) -> None:
    """Print one line on the standard error, which is not part of the result."""
    _print(f"sklearn_gd: {one_line(text)}", sys.stderr)


def _print(text: str, stream: TextIO | None) -> None:
    """Print a text with its control characters escaped. Without a stream there is no reader."""
    if stream is not None:
        print(escaped(text), file=stream)


def escaped(text: str) -> str:
    """The text with escapes in the place of characters that a terminal may obey."""
    if text.replace("\n", "").isprintable():
        return text
    return "".join(
        each if each.isprintable() or each == "\n" else ascii(each)[1:-1] for each in text
    )


def one_line(message: object) -> str:
    """The message with its line breaks replaced by spaces."""
    return " ".join(str(message).split())


def reason(error: Exception) -> str:
    """The message of an error, without the error number and path of an OSError."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def quoted(names: Sequence[str], limit: int = 8) -> str:
    """The first names in quotes, and the number of the others."""
    shown = ", ".join(repr(shortened(name)) for name in names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"


def counted(n: int, thing: str) -> str:
    """A number of things, in the singular or the plural."""
    return f"{n} {thing}{'' if n == 1 else 's'}"


def shortened(text: str, length: int = 60) -> str:
    """The beginning of a text that is too long for a line."""
    return text if len(text) <= length else f"{text[: length - 3]}..."
