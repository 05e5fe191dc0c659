"""JSON to pass results, errors and resources between processes, without pickle.

`dumps` writes plain JSON values, resources, outcomes of bulk lookups, reports, deliveries of webhooks and every error
of the SDK; `loads` returns equal ones. The text holds names, never code: reading it creates only objects of the classes
in `kajabi_async.serialization.registry`. Like a pickle, it contains personal data unchanged.

Imports the models, the outcomes of bulk lookups and the events of `webhooks`. Read `registry` first, then `dump`.
"""

from kajabi_async.serialization.dump import dumps
from kajabi_async.serialization.load import loads

__all__ = ["dumps", "loads"]
