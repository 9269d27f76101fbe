"""The data plane of StatsD lines in C, where there is a compiler; elsewhere its Python twin runs."""

import os
from glob import glob

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError

_FOLDER = "podmates_metrics/plane"


class Optional(build_ext):
    """Takes a compiler that is not there for one that fails: only that is forgiven to an optional part."""

    def build_extension(self, ext):
        try:
            super().build_extension(ext)
        except OSError as error:
            raise CompileError(str(error)) from error


def extensions():
    if os.environ.get("PODMATES_PURE") == "1":
        return []
    try:
        from Cython.Build import cythonize
    except ImportError:
        return []
    part = Extension(
        "podmates_metrics.plane._plane",
        [f"{_FOLDER}/_plane.pyx"],
        depends=sorted(glob(f"{_FOLDER}/*.pxi")),  # in source archives as well
        extra_compile_args=["-O2"],
    )
    parts = cythonize([part], build_dir="build/cython")
    for part in parts:
        part.optional = True  # here, because cythonize makes new ones without it
    return parts


setup(ext_modules=extensions(), cmdclass={"build_ext": Optional})
