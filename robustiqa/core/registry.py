"""Names to objects: built-ins from one visible table, plug-ins from entry points, both imported on first use."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar, cast

from robustiqa.core.errors import BrokenPlugin, UnknownName

T = TypeVar("T")


@dataclass(frozen=True)
class Registry(Generic[T]):
    """Lazy, typed look-up of one kind of thing.

    ``builtins`` maps a name to ``"module:attribute"``. Plug-ins are entry points of ``group``; a built-in wins over
    a plug-in of the same name. Nothing is imported before :meth:`get`, so listing names is cheap and one broken
    plug-in cannot harm the others.
    """

    kind: str
    group: str
    builtins: Mapping[str, str]

    def names(self) -> tuple[str, ...]:
        """All known names, built-ins first, each part sorted."""
        return (*sorted(self.builtins), *sorted(set(self._plugins()) - set(self.builtins)))

    def origin(self, name: str) -> str:
        """Where ``name`` comes from: ``built-in`` or the distribution and version that brought it."""
        return "built-in" if name in self.builtins else _distribution(self._plugin(name))

    def get(self, name: str) -> T:
        """Import and return the object called ``name``.

        Raises:
            UnknownName: no built-in or plug-in has that name (with the nearest one).
            BrokenPlugin: the plug-in's import failed (with the cause).
        """
        if name in self.builtins:
            module, attribute = self.builtins[name].split(":")
            return cast(T, getattr(import_module(module), attribute))
        plugin = self._plugin(name)
        try:
            return cast(T, plugin.load())
        except Exception as error:
            message = f"{self.kind} {name!r} from {_distribution(plugin)} failed to import: {error!r}"
            raise BrokenPlugin(message) from error

    def _plugins(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=self.group)}

    def _plugin(self, name: str) -> EntryPoint:
        plugins = self._plugins()
        if name not in plugins:
            raise UnknownName(self.kind, name, self.names())
        return plugins[name]


def _distribution(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown distribution"
