"""Reads Visual Basic .NET with tree-sitter; as `csharp`, but for names whose case does not matter."""

from __future__ import annotations

from typing import Any

from leadtools_compat.portcheck.csharp import text
from leadtools_compat.portcheck.model import Ref
from leadtools_compat.portcheck.program import COLLECTIONS, Program, Uses

__all__ = ["declare", "imports_leadtools", "language", "use"]

CLASSES = frozenset({"class_block", "structure_block", "module_block", "interface_block"})
METHODS = frozenset({"method_declaration", "constructor_declaration"})
_CASTS = frozenset({"ctype", "directcast", "trycast"})


def language() -> Any:
    """Load the grammar."""
    import tree_sitter_vb_dotnet
    from tree_sitter import Language

    return Language(tree_sitter_vb_dotnet.language())


def imports_leadtools(root: Any) -> bool:
    """Tell whether a file has to do with LEADTOOLS."""
    return b"leadtools" in root.text.lower()


def _child(node: Any, *kinds: str) -> Any:
    return next((one for one in node.named_children if one.type in kinds), None)


def _unwrapped(node: Any) -> Any:
    while node.type == "expression" and node.named_children:
        node = node.named_children[0]
    return node


def _identifier_of(node: Any) -> str:
    name = node.child_by_field_name("name") or _child(node, "identifier")
    return "" if name is None else text(name).strip("[]")


def reference(node: Any) -> Ref | None:
    """Read a type."""
    if node is None:
        return None
    kind = node.type
    if kind in ("type", "as_clause"):
        inner = node.child_by_field_name("type") if kind == "as_clause" else None
        if inner is None:
            inner = node.named_children[0] if node.named_children else None
        return reference(inner)
    if kind == "identifier":
        return Ref(text(node))
    if kind == "namespace_name":
        return Ref(text(node.named_children[-1]))
    if kind == "nullable_type":
        return reference(node.named_children[0])
    if kind == "array_type":
        inner = reference(node.named_children[0])
        # "As New T()" reads like an array of T.
        made_new = node.parent is not None and node.parent.parent is not None
        new = made_new and b" new " in node.parent.parent.text.lower()
        return inner if new or inner is None else Ref("list", (inner,))
    if kind == "generic_type":
        arguments = _child(node, "type_argument_list")
        found = (
            [reference(one) for one in arguments.named_children] if arguments is not None else []
        )
        name = reference(node.named_children[0])
        return (
            None if name is None else Ref(name.name, tuple(one for one in found if one is not None))
        )
    return None


# ---- first pass ---------------------------------------------------------------------------------


def declare(program: Program, root: Any) -> None:
    """Add the classes of a file."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        waiting += node.named_children
        if node.type in CLASSES:
            _declare_class(program, node)


def _declare_class(program: Program, node: Any) -> None:
    own = program.declare(_identifier_of(node))
    for child in node.named_children:
        if child.type in ("inherits_clause", "implements_clause"):
            own.bases += [ref for ref in map(reference, child.named_children) if ref is not None]
        elif child.type == "field_declaration":
            for one in child.named_children:
                if one.type == "variable_declarator":
                    own.members[program.key(_identifier_of(one))] = _declared_type(one)
        elif child.child_by_field_name("name") is not None and "overrides" not in _modifiers(child):
            kind = child.child_by_field_name("return_type") or _child(child, "as_clause")
            own.members[program.key(_identifier_of(child))] = reference(kind)


def _modifiers(node: Any) -> set[str]:
    found = node.child_by_field_name("modifiers")
    return set() if found is None else {text(one).lower() for one in found.named_children}


def _declared_type(node: Any) -> Ref | None:
    """Read the type of a declaration: what stands behind As, or behind New."""
    clause = _child(node, "as_clause")
    if clause is not None:
        return reference(clause)
    value = node.child_by_field_name("initializer")
    if value is not None and _unwrapped(value).type == "new_expression":
        return reference(_unwrapped(value).child_by_field_name("type"))
    return None


# ---- second pass --------------------------------------------------------------------------------


class _Reader:
    """Walks through a file with the class and the variables that are in sight."""

    def __init__(self, uses: Uses) -> None:
        self.uses = uses
        self.program = uses.program
        self.class_name = ""
        self.locals: dict[str, Ref | None] = {}
        self.withs: list[Ref | None] = []

    def walk(self, node: Any) -> None:
        kind, line = node.type, node.start_point[0] + 1
        if kind in CLASSES:
            before, self.class_name = self.class_name, _identifier_of(node)
            self._children(node)
            self.class_name = before
        elif kind in METHODS:
            before_locals, self.locals = self.locals, {}
            if "overrides" in _modifiers(node):
                self.uses.overridden(self.class_name, _identifier_of(node), line)
            self._children(node, skip=node.child_by_field_name("name"))
            self.locals = before_locals
        elif kind in ("type", "namespace_name", "generic_type"):
            self._type(node)
        elif kind == "imports_statement":
            return
        elif kind in ("parameter", "dim_statement", "using_statement", "variable_declarator"):
            self._declaration(node)
        elif kind == "for_each_statement":
            self._each(node)
        elif kind == "catch_block":
            self.locals[self._key(_identifier_of_field(node, "exception"))] = reference(
                node.child_by_field_name("type")
            )
            self._children(node, skip=node.child_by_field_name("exception"))
        elif kind == "handles_clause":
            self._handles(node)
        elif kind == "with_statement":
            target = node.child_by_field_name("target")
            self.withs.append(self.type_of(target))
            self._children(node, skip=target)
            self.withs.pop()
        elif kind == "add_handler_statement":
            self.uses.word("AddHandler", line)
            self._children(node)
        elif kind == "attribute":
            name = _child(node, "namespace_name", "identifier", "type")
            ref = reference(name)
            if ref is not None:
                self.uses.type_used(ref.name, line)
            self._children(node, skip=name)
        elif kind in (
            "expression",
            "member_access",
            "invocation",
            "identifier",
            "element_access",
            "with_member_access",
            "new_expression",
        ):
            self.type_of(node)
        else:
            self._children(node, skip=node.child_by_field_name("name"))

    def _children(self, node: Any, skip: Any = None) -> None:
        for child in node.named_children:
            if child != skip:
                self.walk(child)

    def _key(self, name: str) -> str:
        return self.program.key(name)

    def _type(self, node: Any) -> None:
        waiting = [reference(node)]
        while waiting:
            ref = waiting.pop()
            if ref is not None:
                self.uses.type_used(ref.name, node.start_point[0] + 1)
                self.uses.word(ref.name, node.start_point[0] + 1)
                waiting += ref.arguments

    def _declaration(self, node: Any) -> None:
        name = node.child_by_field_name("name") or node.child_by_field_name("resource")
        if name is not None and name.type == "identifier":
            made = _declared_type(node)
            value = node.child_by_field_name("initializer")
            if made is None and value is not None:
                made = self.quiet_type_of(value)
            self.locals[self._key(text(name).strip("[]"))] = made
        self._children(node, skip=name if name is not None and name.type == "identifier" else None)

    def _each(self, node: Any) -> None:
        name = node.child_by_field_name("variable")
        if name is not None and name.type == "identifier":
            kind = reference(_child(node, "as_clause"))
            if kind is None:
                many = self.quiet_type_of(node.child_by_field_name("collection"))
                kind = many.arguments[0] if many is not None and many.arguments else None
            self.locals[self._key(text(name))] = kind
        self._children(node, skip=name)

    def _handles(self, node: Any) -> None:
        """``Handles scu.MatchStudy``."""
        for one in node.named_children:
            parts = [text(part) for part in one.named_children]
            if len(parts) == 2:
                ref = self._named(parts[0], one.start_point[0] + 1)
                if ref is not None:
                    self.uses.member_used(ref, parts[1], one.start_point[0] + 1)

    # ---- types of expressions ----

    def quiet_type_of(self, node: Any) -> Ref | None:
        """Tell the type of an expression without noting what it uses."""
        kept = (list(self.uses.findings), list(self.uses.hints))
        found = self.type_of(node)
        self.uses.findings, self.uses.hints = kept
        return found

    def type_of(self, node: Any) -> Ref | None:
        """Tell the type of an expression, and note the members that it uses."""
        node = _unwrapped(node)
        kind, line = node.type, node.start_point[0] + 1
        if kind == "identifier":
            return self._named(text(node).strip("[]"), line)
        if kind == "member_access":
            return self._member(node)
        if kind == "with_member_access":
            member = _identifier_of_field(node, "member")
            return self.uses.member_used(self.withs[-1] if self.withs else None, member, line)
        if kind == "invocation":
            return self._invocation(node)
        if kind == "new_expression":
            self._children(node)
            return reference(node.child_by_field_name("type"))
        if kind == "element_access":
            many = self.type_of(node.child_by_field_name("object") or node.named_children[0])
            for child in node.named_children[1:]:
                self.walk(child)
            inside = many is not None and many.name in COLLECTIONS and bool(many.arguments)
            return many.arguments[0] if many is not None and inside else many
        self._children(node)
        return None

    def _invocation(self, node: Any) -> Ref | None:
        target = _unwrapped(node.child_by_field_name("target") or node.named_children[0])
        arguments = _child(node, "argument_list")
        if target.type == "identifier" and text(target).lower() in _CASTS and arguments is not None:
            given = arguments.named_children
            if len(given) == 2:
                self.walk(given[0])
                last = _unwrapped(given[1].named_children[0])
                if last.type in ("identifier", "member_access"):
                    name = text(last).rpartition(".")[2]
                    self.uses.type_used(name, node.start_point[0] + 1)
                    return Ref(name)
                return None
        found = self.type_of(target)
        for child in node.named_children:
            if child.type in ("argument_list", "type_argument_list"):
                self.walk(child)
        if found is not None and found.name in COLLECTIONS and found.arguments:
            return found.arguments[0]  # list(0)
        return found

    def _named(self, name: str, line: int) -> Ref | None:
        self.uses.word(name, line)
        key = self._key(name)
        if key in ("me", "myclass"):
            return Ref(self.class_name) if self.class_name else None
        if key == "mybase":
            own = self.program.own(self.class_name)
            return own.bases[0] if own is not None and own.bases else None
        if key in self.locals:
            return self.locals[key]
        declared = self.program.declared(self.class_name, name) if self.class_name else None
        if declared is not None:
            return declared.members[key]
        if self.program.api.type_name(name, any_case=True) or self.program.own(name) is not None:
            self.uses.type_used(name, line)
            known = self.program.api.type_name(name, any_case=True)
            return Ref(known or name, static=True)
        return self.uses.inherited_used(self.class_name, name, line) if self.class_name else None

    def _member(self, node: Any) -> Ref | None:
        receiver = _unwrapped(node.child_by_field_name("object"))
        member = _identifier_of_field(node, "member")
        line = node.child_by_field_name("member").start_point[0] + 1
        ref = self.type_of(receiver)
        self.uses.word(member, line)
        if member.lower() == "new":  # MyBase.New
            return ref
        unknown_class = (
            receiver.type == "identifier"
            and ref is None
            and text(receiver)[:1].isupper()
            and self._key(text(receiver)) not in self.locals
        )
        if unknown_class:
            return None
        return self.uses.member_used(ref, member, line)


def _identifier_of_field(node: Any, field: str) -> str:
    found = node.child_by_field_name(field)
    return "" if found is None else text(found).strip("[]")


def use(uses: Uses, root: Any) -> None:
    """Look at what a file uses."""
    _Reader(uses).walk(root)
