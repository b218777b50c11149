"""A change outside of every function, put in place where everything is loaded: the names that it gives get their new values.

What is made of them further down in the module is made again, and every module that has taken a name from there gets the new
value. What another module has made of them while it was loaded, and what a class has kept, stays as it was: a mutant that
lives in this way is judged once more, by loading the project anew.
"""

import ast
import sys
from types import ModuleType

from tests.mutation.operators import Mutant
from tests.mutation.uses import statements_of

_OWN = ("batch", "jobs", "schemas", "tests")


def put_values(mutant: Mutant) -> bool:
    """Give the mutant's values to the names that its statement gives; whether that could be done. For a child of its own."""
    module = sys.modules.get(mutant.file.removesuffix(".py").replace("/", "."))
    if module is None:
        return False
    numbers = statements_of(mutant.file, mutant.line)
    statements = ast.parse(mutant.text).body
    changed = [statements[number] for number in numbers]
    if not changed or any(isinstance(each, ast.ClassDef) for each in changed):
        return False
    before = dict(vars(module))
    try:
        exec(compile(ast.Module(changed, []), str(module.__file__), "exec"), vars(module))  # noqa: S102 - the mutant itself
    except Exception:  # noqa: BLE001 - whatever it is, whoever loads the project anew meets it too
        return False
    given = {name: value for name, value in vars(module).items() if name in before and before[name] is not value}
    for other in _own_modules():
        for name, value in given.items():
            if vars(other).get(name) is before[name]:
                setattr(other, name, value)
    return True


def _own_modules() -> list[ModuleType]:
    return [module for name, module in sys.modules.items() if name.partition(".")[0] in _OWN]
