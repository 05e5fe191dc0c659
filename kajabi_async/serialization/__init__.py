"""JSON for what travels between processes: results, errors and resources, without pickle.

`dumps` writes plain JSON values, resources, outcomes of bulk lookups, reports, deliveries of webhooks and every error
of the SDK; `loads` gives equal ones back. The text holds names, never code: reading it makes objects of the classes
listed in `kajabi_async.serialization.registry` and of no other. Like a pickle it carries personal data as it is.
"""

from kajabi_async.serialization.dump import dumps
from kajabi_async.serialization.load import loads

__all__ = ["dumps", "loads"]
