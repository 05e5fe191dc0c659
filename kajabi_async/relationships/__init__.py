"""Relations followed: which request a handle needs, one request for all who wait for it, and none where none is due."""

from kajabi_async.relationships.resolver import RelationshipResolver

__all__ = ["RelationshipResolver"]
