"""``kajabi doctor``: what is wrong between this machine and the API, and how to mend it."""

from kajabi_async.cli.doctor.command import doctor

__all__ = ["doctor"]
