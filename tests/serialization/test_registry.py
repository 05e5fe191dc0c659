"""The classes that can be written."""

from types import SimpleNamespace

from kajabi_async import errors, models
from kajabi_async.models.resource import Part
from kajabi_async.serialization import registry
from kajabi_async.serialization.registry import ERRORS, RECORDS
from kajabi_async.webhooks import delivery_errors


class _OwnError(errors.KajabiError):
    pass


class _OwnPart(Part):
    pass


_MODULE = SimpleNamespace(__all__=["A", "B", "Name", "Number"], A=_OwnError, B=_OwnPart, Name="text", Number=int)


def test_every_public_error_is_registered() -> None:
    """Those of webhooks too."""
    public = {getattr(module, name) for module in (errors, delivery_errors) for name in module.__all__}
    tree = {each for each in public if isinstance(each, type) and issubclass(each, errors.KajabiError)}
    assert set(ERRORS.values()) == tree
    assert all(cls.__name__ == name for name, cls in ERRORS.items())


def test_every_public_part_of_a_model_is_registered() -> None:
    """An attribute may hold one."""
    parts = {
        each for name in models.__all__ if isinstance(each := getattr(models, name), type) and issubclass(each, Part)
    }
    assert parts
    assert parts <= set(RECORDS.values())


def test_of_a_module_only_its_classes_of_the_kind_are_taken() -> None:
    """Other public names, such as aliases and values, are not registered."""
    assert registry._classes_in(_MODULE, errors.KajabiError) == [_OwnError]
    assert registry._classes_in(_MODULE, Part) == [_OwnPart]
