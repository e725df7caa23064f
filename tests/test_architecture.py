"""The rules of the house that a machine can check: who imports whom, what no source holds, examples that run."""

import ast
import doctest
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("toolkit", "feature_extraction", "baseline")
SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py")) + sorted(ROOT.glob("*.py"))
CODE = SOURCES + sorted((ROOT / "benchmarks").rglob("*.py"))
MAY_IMPORT = {
    "toolkit": {"toolkit"},
    "feature_extraction": {"toolkit", "feature_extraction"},
    "baseline": {"toolkit", "baseline"},
    "baseline.predict": {"toolkit", "baseline", "feature_extraction"},
    "main": {"toolkit", "baseline"},
}
MAX_LINES, MAX_FUNCTION_LINES = 400, 60
HEAVY = {"torch", "transformers", "librosa", "opensmile", "cv2", "av", "matplotlib", "sklearn", "numba"}
NETWORK = {"urllib.request", "http.client", "requests", "httpx", "huggingface_hub", "socket"}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in CODE}


def imports(path: Path, *, functions: bool = True, types: bool = True) -> set[str]:
    """Dotted names a file imports; ``from a import b`` is ``a.b`` where that is a module, otherwise ``a``.

    Args:
        path: the file
        functions: count what only runs when a function is called
        types: count what only type checkers read
    """
    nodes = list(_nodes(ast.parse(path.read_text(encoding="utf-8")), functions, types))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports by a relative name"
            below = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if name in MODULES else str(node.module) for name in below}
    return names


def _nodes(node, functions, types):
    for child in ast.iter_child_nodes(node):
        if not functions and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if not types and isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _nodes(child, functions, types)


def room_of(name: str) -> str:
    return name.partition(".")[0]


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_import_direction(path):
    name = module_name(path)
    allowed = MAY_IMPORT.get(name) or MAY_IMPORT[room_of(name)]
    used = {room_of(other) for other in imports(path)} & set(ROOMS)
    assert used <= allowed, f"{name} imports {sorted(used - allowed)}"


def test_no_circles():
    """No file imports, over any number of others, itself; what a function imports when it runs counts too."""
    graph = {name: sorted(imports(path, types=False) & set(MODULES) - {name}) for name, path in MODULES.items()}
    done: set[str] = set()

    def visit(name: str, trail: list[str]) -> None:
        assert name not in trail, "circle: " + " -> ".join([*trail[trail.index(name) :], name])
        if name not in done:
            for other in graph[name]:
                visit(other, [*trail, name])
            done.add(name)

    for name in graph:
        visit(name, [])


@pytest.mark.parametrize("path", CODE, ids=module_name)
def test_source(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MAX_LINES
    assert not re.search(r"\.cuda\(", text), "networks and encoders are device-free: use .to(device)"
    assert not re.search(r"""["'](/home/|/work/|/root/|/mnt/|[A-Z]:\\\\)""", text), "an absolute path"
    assert not re.search(r"\bTODO\b|\bFIXME\b|\bXXX\b", text)
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    too_long = [f.name for f in functions if f.end_lineno - f.lineno >= MAX_FUNCTION_LINES]
    assert too_long == [], "a function fits a screen"
    assert not imports(path, functions=False, types=False) & NETWORK, "the network is for the function that needs it"


def test_main_is_a_front_door():
    assert (ROOT / "main.py").read_text().count("\n") <= 60


@pytest.mark.parametrize("room", ROOMS)
def test_main_modules_only_call_the_command_line(room):
    for path in (ROOT / room).rglob("__main__.py"):
        assert len(ast.parse(path.read_text()).body) <= 4, f"{path} does more than call cli.py"


@pytest.mark.parametrize("module", ["toolkit", "toolkit.corpus", "feature_extraction", "baseline"])
def test_light_imports(module):
    code = f"import sys, {module}; print(*sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("command", [["toolkit"], ["feature_extraction"], ["baseline"]], ids=lambda c: c[0])
def test_help_needs_nothing_heavy(command):
    code = (
        "import runpy, sys\n"
        f"sys.argv = [{command[0]!r}, '--help']\n"
        "try:\n"
        f"    runpy.run_module({command[0]!r}, run_name='__main__')\n"
        "finally:\n"
        f"    print('HEAVY', *sorted({HEAVY!r} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-500:]
    assert "Usage" in done.stdout
    assert done.stdout.strip().splitlines()[-1] == "HEAVY"


WITH_EXAMPLES = [path for path in SOURCES if ">>> " in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=module_name)
def test_examples_in_docstrings(path):
    module = importlib.import_module(module_name(path))
    result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert result.attempted > 0
    assert result.failed == 0


def test_every_file_has_a_docstring_of_one_noun():
    without = [module_name(path) for path in CODE if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]
    assert without == []
