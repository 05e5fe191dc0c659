"""Relations followed: which requests a handle needs, and one request for all callers that await the same resource.

Imports `decoding`, `models`, `jsonapi` and the leaves, never `session`. Read `steps` first, then `resolver` for one
relation and `prefetch` for the relations of many owners.
"""

from kajabi_async.relationships.resolver import RelationshipResolver

__all__ = ["RelationshipResolver"]
