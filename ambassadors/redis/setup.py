"""The shared path of the ambassador in C, where there is a compiler; elsewhere every client is pinned."""

import os
from glob import glob

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError

_FOLDER = "podmates_redis/engine"


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
    source = f"{_FOLDER}/_engine.pyx"
    part = Extension(
        "podmates_redis.engine._engine",
        [source],
        depends=sorted(glob(f"{_FOLDER}/*.px[iy]")),  # in source archives as well
        extra_compile_args=["-O2"],
    )
    parts = cythonize([part], build_dir="build/cython")
    for part in parts:
        part.optional = True  # here, because cythonize makes new ones without it
    return parts


setup(ext_modules=extensions(), cmdclass={"build_ext": Optional})
