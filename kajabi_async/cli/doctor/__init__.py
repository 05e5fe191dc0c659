"""``kajabi doctor``: checks of everything between this machine and the API, each with a cure."""

from kajabi_async.cli.doctor.command import doctor

__all__ = ["doctor"]
