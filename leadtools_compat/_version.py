"""The version of the package, its metadata and libltdic: this line is the only place."""

__version__ = "0.1.0"
