"""JSON schemas as OpenAI's strict mode takes them, and values that fulfil them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
Path = tuple[str | int, ...]
DEPTH_MAX = 10
REFUSED_KEYWORDS = ("allOf", "not", "dependentRequired", "dependentSchemas", "if", "then", "else")


def find_fault(schema: Schema) -> str | None:
    """Why strict mode would refuse this schema; None when it would not.

    See docs/vendors.md#openai-structured-outputs.
    """
    if schema.get("type") != "object" or "anyOf" in schema:
        return "schema must have type 'object' and not have 'anyOf' at the top level"
    parts: dict[Path, Schema] = {(): schema}
    parts |= {("$defs", name): part for name, part in schema.get("$defs", {}).items()}
    return next((fault for path, part in parts.items() for fault in _faults(part, path)), None)


def _faults(schema: Schema, path: Path) -> Iterator[str]:
    for keyword in REFUSED_KEYWORDS:
        if keyword in schema:
            yield f"In context={path}, '{keyword}' is not permitted."
    if "properties" in schema or schema.get("type") == "object":
        properties = schema.get("properties", {})
        if schema.get("additionalProperties") is not False:
            yield (
                f"In context={path}, 'additionalProperties' is required to be supplied and to be"
                " false."
            )
        if set(schema.get("required", ())) != set(properties):
            yield (
                f"In context={path}, 'required' is required to be supplied and to be an array"
                " including every key in properties."
            )
        for name, part in properties.items():
            yield from _faults(part, (*path, name))
    if "items" in schema:
        yield from _faults(schema["items"], (*path, "items"))
    for place, part in enumerate(schema.get("anyOf", ())):
        yield from _faults(part, (*path, "anyOf", place))


class ValueGenerator:
    """Makes a value for any strict schema; words and numbers come from the two functions given.

    say(path) gives a text; count(path) a number, or how many items a list gets, or None where it
    has no opinion. A path is made of names and places in lists.
    """

    def __init__(
        self,
        root: Schema,
        say: Callable[[Path], str],
        count: Callable[[Path], float | None],
    ) -> None:
        self._root, self._say, self._count = root, say, count

    def write(self) -> Any:
        """A value of the whole schema."""
        return self._value(self._root, ())

    def _value(self, schema: Schema, path: Path) -> Any:
        assert len(path) <= 2 * DEPTH_MAX, "a schema nests no deeper than strict mode allows"
        if "$ref" in schema:
            return self._value(self._resolve(schema["$ref"]), path)
        if "anyOf" in schema:
            kinds = [part for part in schema["anyOf"] if part.get("type") != "null"]
            return self._value((kinds or schema["anyOf"])[0], path)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        kind = schema.get("type")
        kinds = [one for one in kind if one != "null"] if isinstance(kind, list) else [kind]
        return self._of_kind(kinds[0] if kinds else None, schema, path)

    def _of_kind(self, kind: str | None, schema: Schema, path: Path) -> Any:
        match kind:
            case "object":
                parts = schema.get("properties", {})
                return {name: self._value(part, (*path, name)) for name, part in parts.items()}
            case "array":
                places = range(self._size(schema, path))
                return [self._value(schema["items"], (*path, place)) for place in places]
            case "integer" | "number":
                return self._number(schema, path, whole=kind == "integer")
            case "boolean":
                return False
            case "string":
                return self._say(path)[: schema.get("maxLength")]
            case _:
                return None

    def _size(self, schema: Schema, path: Path) -> int:
        least = schema.get("minItems", 1)
        wished = self._count(path)
        return int(min(schema.get("maxItems", 20), max(least, least if wished is None else wished)))

    def _number(self, schema: Schema, path: Path, *, whole: bool) -> float:
        lowest = schema.get("minimum", schema.get("exclusiveMinimum", 0))
        highest = schema.get("maximum", schema.get("exclusiveMaximum", max(lowest, 10)))
        wished = self._count(path)
        if wished is None:
            wished = (lowest + highest) / 2
        elif "minimum" in schema or "maximum" in schema:
            wished = min(schema.get("maximum", wished), max(schema.get("minimum", wished), wished))
        return round(wished) if whole else wished

    def _resolve(self, reference: str) -> Schema:
        part: Any = self._root
        for name in reference.removeprefix("#/").split("/"):
            part = part[name] if name and name != "#" else part
        resolved: Schema = part
        return resolved
