"""Reads C# with tree-sitter: declares its classes, then looks at what it uses."""

from __future__ import annotations

from typing import Any

from leadtools_compat.portcheck.model import Ref
from leadtools_compat.portcheck.program import COLLECTIONS, Program, Uses

__all__ = ["declare", "imports_leadtools", "language", "use"]

CLASSES = frozenset(
    {"class_declaration", "struct_declaration", "interface_declaration", "record_declaration"}
)
_NAMES = frozenset({"name", "type", "returns", "alias"})
_NO_EXPRESSION = frozenset(
    {
        "base_list",
        "qualified_name",
        "generic_name",
        "using_directive",
        "name_colon",
        "attribute",
        "namespace_declaration",
        "type_argument_list",
        "nullable_type",
        "array_type",
        "labeled_statement",
        "type_parameter",
        "implicit_parameter",
        "enum_member_declaration",
    }
)


def language() -> Any:
    """Load the grammar."""
    import tree_sitter_c_sharp
    from tree_sitter import Language

    return Language(tree_sitter_c_sharp.language())


def text(node: Any) -> str:
    return str(node.text.decode("utf-8", "replace"))


def imports_leadtools(root: Any) -> bool:
    """Tell whether a file has to do with LEADTOOLS."""
    return b"Leadtools" in root.text


def reference(node: Any) -> Ref | None:
    """Read a type."""
    if node is None:
        return None
    kind = node.type
    if kind == "identifier":
        return Ref(text(node))
    if kind == "qualified_name":
        return reference(node.child_by_field_name("name"))
    if kind == "nullable_type":
        return reference(node.named_children[0])
    if kind == "array_type":
        inner = reference(node.child_by_field_name("type"))
        return None if inner is None else Ref("list", (inner,))
    if kind == "generic_name":
        arguments = [
            reference(one) for child in node.named_children[1:] for one in child.named_children
        ]
        return Ref(text(node.named_children[0]), tuple(one for one in arguments if one is not None))
    return None


def _field_name(node: Any) -> str:
    return text(node.child_by_field_name("name"))


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
    own = program.declare(_field_name(node))
    for child in node.named_children:
        if child.type == "base_list":
            own.bases += [ref for ref in map(reference, child.named_children) if ref is not None]
    body = node.child_by_field_name("body")
    for member in body.named_children if body is not None else ():
        if member.type in ("field_declaration", "event_field_declaration"):
            declaration = next(
                (one for one in member.named_children if one.type == "variable_declaration"), None
            )
            if declaration is not None:
                for name, ref in _variables(declaration):
                    own.members[name] = ref
        elif member.child_by_field_name("name") is not None and "override" not in _modifiers(
            member
        ):
            kind = member.child_by_field_name("returns") or member.child_by_field_name("type")
            own.members[_field_name(member)] = reference(kind)


def _modifiers(node: Any) -> set[str]:
    return {text(one) for one in node.named_children if one.type == "modifier"}


def _variables(declaration: Any) -> list[tuple[str, Ref | None]]:
    """Read the variables of a declaration; of ``var`` the type is that of a ``new``."""
    kind = reference(declaration.child_by_field_name("type"))
    found = []
    for one in declaration.named_children:
        if one.type == "variable_declarator":
            made = kind
            if made is None:
                new = [x for x in one.named_children if x.type == "object_creation_expression"]
                made = reference(new[0].child_by_field_name("type")) if new else None
            name = one.child_by_field_name("name") or one.named_children[0]
            found.append((text(name), made))
    return found


# ---- second pass --------------------------------------------------------------------------------


class _Reader:
    """Walks through a file with the class and the variables that are in sight."""

    def __init__(self, uses: Uses) -> None:
        self.uses = uses
        self.program = uses.program
        self.class_name = ""
        self.locals: dict[str, Ref | None] = {}

    def walk(self, node: Any, parent: Any = None, role: str | None = None) -> None:
        kind = node.type
        line = node.start_point[0] + 1
        if kind in CLASSES:
            before, self.class_name = self.class_name, _field_name(node)
            self._children(node)
            self.class_name = before
            return
        if kind in ("method_declaration", "constructor_declaration", "accessor_declaration"):
            before_locals, self.locals = self.locals, {}
            if "override" in _modifiers(node):
                self.uses.overridden(self.class_name, _field_name(node), line)
            self._children(node)
            self.locals = before_locals
            return
        if kind == "variable_declaration":
            self._declare(node)
        elif kind in (
            "parameter",
            "catch_declaration",
            "declaration_pattern",
            "declaration_expression",
        ):
            name = node.child_by_field_name("name")
            if name is not None:
                self.locals[text(name)] = reference(node.child_by_field_name("type"))
        elif kind in ("foreach_statement", "for_each_statement"):
            self._each(node)
        elif kind == "attribute":
            self.uses.type_used(text(node.named_children[0]).rpartition(".")[2], line)
        if kind in ("member_access_expression", "conditional_access_expression"):
            self.type_of(node)
            return
        if kind == "identifier":
            self._identifier(node, parent, role)
            return
        self._children(node)

    def _children(self, node: Any) -> None:
        for index, child in enumerate(node.children):
            if child.is_named:
                self.walk(child, node, node.field_name_for_child(index))

    def _declare(self, node: Any) -> None:
        for name, ref in _variables(node):
            self.locals[name] = ref
        if reference(node.child_by_field_name("type")) is None:
            for one in node.named_children:
                if one.type == "variable_declarator" and len(one.named_children) > 1:
                    name = text(one.child_by_field_name("name") or one.named_children[0])
                    if self.locals.get(name) is None:
                        self.locals[name] = self.quiet_type_of(one.named_children[-1])

    def _each(self, node: Any) -> None:
        left = node.child_by_field_name("left")
        kind = reference(node.child_by_field_name("type"))
        if left is not None and left.type == "identifier":
            if kind is None:
                many = self.quiet_type_of(node.child_by_field_name("right"))
                kind = many.arguments[0] if many is not None and many.arguments else None
            self.locals[text(left)] = kind

    def _identifier(self, node: Any, parent: Any, role: str | None) -> None:
        name, line = text(node), node.start_point[0] + 1
        self.uses.word(name, line)
        if role in ("type", "returns") or (parent is not None and parent.type in _NO_EXPRESSION):
            if parent is None or parent.type not in ("attribute", "using_directive", "name_colon"):
                self.uses.type_used(name, line)
            return
        if role in _NAMES:
            return
        if self.program.api.type_name(name) and name not in self.locals:
            self.uses.type_used(name, line)
            return
        if name not in self.locals and self.class_name:
            self.uses.inherited_used(self.class_name, name, line)

    # ---- types of expressions ----

    def quiet_type_of(self, node: Any) -> Ref | None:
        """Tell the type of an expression without noting what it uses."""
        kept = (list(self.uses.findings), list(self.uses.hints))
        found = self.type_of(node)
        self.uses.findings, self.uses.hints = kept
        return found

    def type_of(self, node: Any) -> Ref | None:
        """Tell the type of an expression, and note the members that it uses."""
        kind = node.type
        if kind in ("this", "this_expression"):
            return Ref(self.class_name) if self.class_name else None
        if kind in ("base", "base_expression"):
            own = self.program.own(self.class_name)
            return own.bases[0] if own is not None and own.bases else None
        if kind == "identifier":
            return self._name(node)
        if kind in ("member_access_expression", "conditional_access_expression"):
            return self._member(node)
        if kind == "invocation_expression":
            function = node.child_by_field_name("function")
            found = self.type_of(function)
            self._children_of(node, function)
            return found
        if kind == "parenthesized_expression" and node.named_children:
            return self.type_of(node.named_children[0])
        if kind in ("cast_expression", "object_creation_expression"):
            self._children(node)
            return reference(node.child_by_field_name("type"))
        if kind == "as_expression":
            self._children(node)
            return reference(node.child_by_field_name("right") or node.named_children[-1])
        if kind == "element_access_expression":
            many = self.type_of(node.child_by_field_name("expression") or node.named_children[0])
            self._children_of(node, node.named_children[0])
            return (
                many.arguments[0]
                if many is not None and many.name in COLLECTIONS and many.arguments
                else None
            )
        self._children(node)
        return None

    def _children_of(self, node: Any, without: Any) -> None:
        for index, child in enumerate(node.children):
            if child.is_named and child != without:
                self.walk(child, node, node.field_name_for_child(index))

    def _name(self, node: Any) -> Ref | None:
        name, line = text(node), node.start_point[0] + 1
        self.uses.word(name, line)
        if name in self.locals:
            return self.locals[name]
        own = self.program.declared(self.class_name, name) if self.class_name else None
        if own is not None:
            return own.members[name]
        if self.program.api.type_name(name) or self.program.own(name) is not None:
            self.uses.type_used(name, line)
            return Ref(name, static=True)
        return self.uses.inherited_used(self.class_name, name, line) if self.class_name else None

    def _member(self, node: Any) -> Ref | None:
        if node.type == "conditional_access_expression":
            receiver, rest = node.named_children[0], node.named_children[-1]
            ref = self.type_of(receiver)
            binding = rest
            while binding.type != "member_binding_expression" and binding.named_children:
                binding = binding.named_children[0]
            names = [
                one for one in binding.named_children if one.type in ("identifier", "generic_name")
            ]
            self._children_of(rest, binding)
        else:
            receiver = node.child_by_field_name("expression")
            ref = self.type_of(receiver)
            names = [node.child_by_field_name("name")]
        if not names or names[0] is None:
            return None
        name = names[0]
        if name.type == "generic_name":
            self._children(name.named_children[-1])
            name = name.named_children[0]
        line = name.start_point[0] + 1
        self.uses.word(text(name), line)
        known = receiver.type in ("predefined_type",) or (
            receiver.type == "identifier"
            and ref is None
            and text(receiver)[:1].isupper()
            and text(receiver) not in self.locals
        )
        if known:  # a class of .NET, or a namespace
            return Ref(text(name), static=True) if self.program.api.type_name(text(name)) else None
        return self.uses.member_used(ref, text(name), line)


def use(uses: Uses, root: Any) -> None:
    """Look at what a file uses."""
    _Reader(uses).walk(root)
