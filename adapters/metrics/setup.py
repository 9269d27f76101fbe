"""The line parser in C, where there is a compiler; its twin in Python runs where there is none."""

import os

from setuptools import Extension, setup

_SOURCE = "podmates_metrics/_line.pyx"


def extensions():
    if os.environ.get("PODMATES_PURE") == "1":
        return []
    try:
        from Cython.Build import cythonize
    except ImportError:
        return []
    part = Extension("podmates_metrics._line", [_SOURCE], extra_compile_args=["-O2"], optional=True)
    return cythonize([part], build_dir="build/cython")


setup(ext_modules=extensions())
