"""Other processes. None of them is waited for without end."""

import subprocess
import sys

SECONDS = 120


def run_command(command, **options):
    """Run a command; its exit code, its output and its errors."""
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, **options)


def python(code, *arguments, **options):
    """Run code in a new interpreter, where it must succeed; the words that it prints."""
    done = run_command([sys.executable, "-c", code, *map(str, arguments)], **options)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()
