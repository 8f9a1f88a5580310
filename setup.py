"""The compiled part. Without a C compiler the build goes on, and repositories' history is read by git: more slowly."""

from Cython.Build import cythonize
from setuptools import Extension, setup

PACK = "scanner/sources/git/pack"
MODULES = ("delta", "table", "trees", "walk")

setup(
    ext_modules=cythonize(
        [Extension(f"{PACK.replace('/', '.')}.{name}", [f"{PACK}/{name}.py"], optional=True) for name in MODULES],
        language_level=3,
        build_dir="build",
        quiet=True,
    )
)
