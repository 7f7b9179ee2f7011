"""`QueryRetrieveScu.Find` in all its forms: overloads, and types in brackets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

from leadtools_compat.dicom._class_uids import CLASS_UIDS
from leadtools_compat.dicom.dicom_data_set import DicomDataSet
from leadtools_compat.dicom.scu import _find
from leadtools_compat.dicom.scu.dicom_scp import DicomScp
from leadtools_compat.dicom.scu.find_query import FindQuery, data_set_of

__all__ = ["DicomMatchDelegate", "FindMethod"]

Q = TypeVar("Q")
R = TypeVar("R")


def DicomMatchDelegate(
    handler: Callable[[R, DicomDataSet], object],
) -> Callable[[R, DicomDataSet], object]:
    """Make what a port writes as ``new DicomMatchDelegate<T>(handler)``: it gives the handler back."""
    return handler


def _forms(arguments: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Sort (match), (match, template), (beforeAddTag, match, template) by number and kind."""
    rest = list(arguments)
    before = named.pop("beforeAddTag", None)
    match = named.pop("match", None)
    template = named.pop("template", None)
    if named:
        raise TypeError(f"Find has no parameter {next(iter(named))!r}")
    if len(rest) == 3:
        before, match, template = rest
    elif len(rest) == 2 and (callable(rest[1]) or (match is None and template is not None)):
        before, match = rest
    elif len(rest) == 2:
        match, template = rest
    elif len(rest) == 1:
        match = rest[0]
    elif rest:
        raise TypeError("Find takes (scp, query, [beforeAddTag,] match[, template])")
    if not callable(match):
        raise TypeError(f"match must be callable, not {match!r}")
    if template is not None and not isinstance(template, DicomDataSet):
        raise TypeError(f"template must be a DicomDataSet, not {type(template).__name__}")
    return before, match, template


def _run(net: Any, kind: Any, scp: DicomScp, query: Any, arguments: Any, named: Any) -> None:
    before, match, template = _forms(arguments, named)
    data, class_type, uid = _find.mapped_query(query, before, template)
    result = kind if kind is not None else type(query)

    def told(found: DicomDataSet) -> None:
        if isinstance(result, type) and issubclass(result, DicomDataSet):
            match(found, found)
        else:
            match(found.Get(T=result), found)

    _find.find(net, scp, data, class_type, uid, told)


class FindOf(Generic[Q, R]):
    """``Find[TQuery, TResult]``."""

    __slots__ = ("_net", "_result")

    def __init__(self, net: Any, result: Any) -> None:
        self._net = net
        self._result = result

    def __call__(
        self,
        scp: DicomScp,
        query: Q,
        *arguments: Callable[[R, DicomDataSet], object]
        | Callable[[int], bool]
        | DicomDataSet
        | None,
        **named: Any,
    ) -> None:
        _run(self._net, self._result, scp, query, arguments, named)


class FindMethod:
    """``Find``."""

    __slots__ = ("_net",)

    def __init__(self, net: Any) -> None:
        self._net = net

    def __getitem__(self, kinds: tuple[type[Q], type[R]]) -> FindOf[Q, R]:
        _, result = kinds
        return FindOf(self._net, result)

    @overload
    def __call__(
        self,
        scp: DicomScp,
        query: FindQuery,
        returnUnmatched: bool = False,
        dataSet: DicomDataSet | None = None,
    ) -> None: ...
    @overload
    def __call__(
        self,
        scp: DicomScp,
        query: Q,
        match: Callable[[Q, DicomDataSet], object],
        template: DicomDataSet | None = None,
    ) -> None: ...
    @overload
    def __call__(
        self,
        scp: DicomScp,
        query: Q,
        beforeAddTag: Callable[[int], bool] | None,
        match: Callable[[Q, DicomDataSet], object],
        template: DicomDataSet | None = None,
    ) -> None: ...
    def __call__(self, scp: DicomScp, query: Any, *arguments: Any, **named: Any) -> None:
        if not isinstance(query, FindQuery):
            kind = named.pop("TResult", None)
            named.pop("TQuery", None)
            _run(self._net, kind, scp, query, arguments, named)
            return
        if len(arguments) > 2:
            raise TypeError("Find takes (scp, FindQuery[, bool, DicomDataSet])")
        more = arguments[1] if len(arguments) == 2 else named.get("dataSet")
        if more is not None and not isinstance(more, DicomDataSet):
            raise TypeError(f"dataSet must be a DicomDataSet, not {type(more).__name__}")
        data, class_type = data_set_of(query, more)
        net, level = self._net, query.QueryLevel
        uid = CLASS_UIDS[int(class_type)]
        _find.find(net, scp, data, class_type, uid, lambda found: _find.match(net, level, found))
