"""The quicker start must be noticed by nobody."""

from __future__ import annotations

import subprocess
import sys


def ran(code: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, check=False)


START = "import sys\nfrom keyfuse.haste import leave, make_haste\nmake_haste()\n"


def test_a_module_put_off_is_loaded_when_something_in_it_is_asked_for() -> None:
    done = ran(
        START + "import dataclasses, inspect\nassert 'ast' not in sys.modules\n"
        "assert str(inspect.signature(lambda a, b=1: 0)) == '(a, b=1)'\nassert 'ast' in sys.modules\n"
        "assert type(sys.modules['inspect']).__name__ == 'module'\nassert inspect.isclass(int)\n"
        "from inspect import getsource\nassert 'def dataclass' in getsource(dataclasses.dataclass)\n"
    )
    assert done.returncode == 0, done


def test_a_module_that_is_there_already_stays() -> None:
    assert (
        ran("import inspect\nbefore = inspect\n" + START + "import inspect\nassert inspect is before\n").returncode == 0
    )


def test_leaves_with_everything_said() -> None:
    done = ran(START + "print('out', end='')\nsys.stderr.write('err')\nleave(4)")
    assert (done.returncode, done.stdout, done.stderr) == (4, b"out", b"err")


def test_leaves_even_when_nobody_listens() -> None:
    assert ran(START + "sys.stdout.close()\nleave(1)").returncode == 1
