"""The terminal: characters that it cannot print, a pipe that is closed, and warnings."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sklearn.exceptions import ConvergenceWarning

from sklearn_gd._command.messages import say_aside


@contextmanager
def any_characters() -> Iterator[None]:
    """Escape the characters that a terminal cannot print."""
    streams = [each for each in (sys.stdout, sys.stderr) if isinstance(each, io.TextIOWrapper)]
    before = [stream.errors for stream in streams]
    for stream in streams:
        stream.reconfigure(errors="backslashreplace")
    try:
        yield
    finally:
        for stream, errors in zip(streams, before, strict=True):
            with suppress(OSError):  # a full disk or a closed pipe, told before
                stream.reconfigure(errors=errors)


def printable(text: str, plain: str) -> str:
    """The text, or a plain text where the terminal cannot print it."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return plain
    return text


def flush_output() -> None:
    """Write what was printed. A process that was started without an output has nothing to."""
    if sys.stdout is not None:
        sys.stdout.flush()


def discard_output() -> None:
    """Let the interpreter find nothing to flush at its end, where the output takes no more."""
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


@contextmanager
def readable_warnings() -> Iterator[None]:
    """Print each warning as one line."""

    def show(message: Warning | str, *args: object, **kwargs: object) -> None:
        say_aside(f"warning: {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("always", ConvergenceWarning)
        warnings.simplefilter("ignore", RuntimeWarning)  # an overflow ends in an error
        warnings.filterwarnings("ignore", "Found unknown categories")  # told with their names
        warnings.showwarning = show
        yield
