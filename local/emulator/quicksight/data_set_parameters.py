"""Parameters of a data set's SQL: declared with the data set, written `<<$name>>`, filled in before Athena sees it.

A text is filled in with its quotes, several values with commas between them, as QuickSight does.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.emulator.quicksight.errors import InvalidParameter, InvalidSqlParameter

_REFERENCE = re.compile(r"<<\$([a-zA-Z0-9]+)>>")
_KINDS = ("String", "Integer", "Decimal")
_PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {"String": (str,), "Integer": (int,), "Decimal": (int, float)}


@dataclass(frozen=True)
class DataSetParameter:
    """One parameter. `kind` is `String`, `Integer` or `Decimal`; `defaults` is empty where the data set gives none."""

    name: str
    kind: str
    multi_valued: bool
    defaults: tuple[Any, ...]

    def literals(self, values: Sequence[Any]) -> str:
        """Values as SQL.

        Raises:
            InvalidSqlParameter: none, several where one is declared, or values of another type.
        """
        if not values:
            raise InvalidSqlParameter(f"parameter {self.name} has no value")
        if len(values) > 1 and not self.multi_valued:
            raise InvalidSqlParameter(f"parameter {self.name} takes one value, got {len(values)}")
        if not all(isinstance(value, _PYTHON_TYPES[self.kind]) for value in values):
            raise InvalidSqlParameter(f"parameter {self.name} takes values of type {self.kind}")
        return ", ".join("'" + v.replace("'", "''") + "'" if isinstance(v, str) else str(v) for v in values)


def declared_parameters(data_set: Mapping[str, Any]) -> dict[str, DataSetParameter]:
    """The parameters that a data set (the request or what Describe says) declares, by name.

    Raises:
        InvalidParameter: a kind that the local AWS does not offer, or a name that is declared twice.
    """
    parameters: dict[str, DataSetParameter] = {}
    for given in data_set.get("DatasetParameters", []):
        (member,) = given
        kind = member.removesuffix("DatasetParameter")
        if kind not in _KINDS:
            raise InvalidParameter(f"DatasetParameters: the local AWS does not offer {member}")
        declared = given[member]
        name = declared["Name"]
        if name in parameters:
            raise InvalidParameter(f"DatasetParameters: {name} is declared twice")
        defaults = tuple(declared.get("DefaultValues", {}).get("StaticValues", []))
        parameters[name] = DataSetParameter(name, kind, declared["ValueType"] == "MULTI_VALUED", defaults)
    return parameters


def check_references(sql: str, parameters: Mapping[str, DataSetParameter]) -> None:
    """Check that every parameter in a data set's SQL is declared.

    Raises:
        InvalidSqlParameter: names those that are not.
    """
    unknown = sorted(set(_REFERENCE.findall(sql)) - set(parameters))
    if unknown:
        raise InvalidSqlParameter(f"the SQL uses parameters that the data set does not declare: {', '.join(unknown)}")


def fill_in(sql: str, parameters: Mapping[str, DataSetParameter], values: Mapping[str, Sequence[Any]]) -> str:
    """The SQL with every parameter replaced by its values, or by its default where `values` has none.

    Raises:
        InvalidSqlParameter: a parameter has neither, or values that it does not take.
    """
    check_references(sql, parameters)

    def literals(found: "re.Match[str]") -> str:
        parameter = parameters[found[1]]
        return parameter.literals(values.get(parameter.name, parameter.defaults))

    return _REFERENCE.sub(literals, sql)
