"""What is promised in one file of the project is true of the others."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import sklearn_gd
from tests.processes import run_command

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
USERS = [
    Requirement(text)
    for text in PROJECT["project"]["dependencies"]
    + [each for name, extra in EXTRAS.items() if name != "all" for each in extra]
]
GROUPS = [
    Requirement(text)
    for group in PROJECT["dependency-groups"].values()
    for text in group
    if isinstance(text, str)
]


def pinned(file):
    """Package -> version of a file of constraints."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in pairs}


@pytest.mark.parametrize("requirement", [*USERS, *GROUPS], ids=str)
def test_ci_uses_a_fixed_version_that_is_allowed(requirement):
    version = pinned("constraints.txt")[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version)


def test_oldest_versions_are_those_that_are_promised():
    promised = {
        canonicalize_name(requirement.name): specifier.version
        for requirement in USERS
        for specifier in requirement.specifier
        if specifier.operator == ">="
    }
    tested = pinned("constraints-oldest.txt")
    assert promised.keys() <= tested.keys()
    for name, version in promised.items():
        assert Requirement(f"x=={version}.*").specifier.contains(tested[name]), name


def test_extra_all_has_all_extras():
    assert Requirement(EXTRAS["all"][0]).extras == EXTRAS.keys() - {"all"}


def test_constraints_are_sorted():
    for file in ("constraints.txt", "constraints-oldest.txt"):
        assert list(pinned(file)) == sorted(pinned(file)), file


def test_workflow_runs_what_is_run_here():
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "run: .ci/run" in workflow
    called = re.findall(r"run: make (\S+)", workflow)
    assert called
    for target in called:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_citation_has_the_version():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {sklearn_gd.__version__}\n" in citation


def git(*arguments, folder):
    """Run git; its output."""
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    return run_command(["git", *identity, *arguments], cwd=folder, check=True).stdout


@pytest.mark.parametrize(
    ("files", "message", "code"),
    [
        (["docs/page.md"], "a page", 0),
        (["sklearn_gd/a.py"], "a change", 1),
        (["tests/test_a.py"], "a test", 1),
        (["sklearn_gd/a.py", "CHANGELOG.md"], "a change", 0),
        (["sklearn_gd/a.py"], "a change\n\nChangelog: none", 0),
    ],
)
def test_changes_need_a_line_in_the_changelog(tmp_path, files, message, code):
    git("init", "-q", folder=tmp_path)
    (tmp_path / ".ci").mkdir()
    script = tmp_path / ".ci" / "changelog"
    script.write_text((ROOT / ".ci" / "changelog").read_text(encoding="utf-8"))
    git("add", ".", folder=tmp_path)
    git("commit", "-qm", "start", folder=tmp_path)
    base = git("rev-parse", "HEAD", folder=tmp_path).strip()
    for name in files:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("a line\n")
    git("add", ".", folder=tmp_path)
    git("commit", "-qm", message, folder=tmp_path)
    done = run_command(["bash", script, base])
    assert done.returncode == code, done.stdout + done.stderr


def test_every_process_has_a_timeout():
    folders = ("tests", "examples", "benchmarks", "sklearn_gd")
    calls = [
        (path, call)
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and ast.unparse(call.func).startswith("subprocess.")
    ]
    assert calls
    for path, call in calls:
        assert "timeout=" in ast.unparse(call), (path, call.lineno)
