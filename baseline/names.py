"""Names for help texts, read from the source: importing every network would make ``--help`` wait for torch."""

import ast
from importlib.util import find_spec
from pathlib import Path


def names_added(package: str, registry: str) -> str:
    """Returns the names that the files of a package file in a registry with ``@registry.add("name")``, as one line.

    Args:
        package: dotted name of the package
        registry: name of the variable that holds the registry

    Examples:
        >>> names_added("baseline.tracks", "tracks")
        'emotion, multi, noise, ov, semi, sentiment'
    """
    spec = find_spec(package)
    folders = [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []
    names = [
        decorator.args[0].value
        for folder in folders
        for path in sorted(folder.glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call)
        and ast.unparse(decorator.func) == f"{registry}.add"
        and isinstance(decorator.args[0], ast.Constant)
    ]
    return ", ".join(sorted(names))
