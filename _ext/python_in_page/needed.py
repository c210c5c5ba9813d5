"""Which of the cells above a cell must run before it.

A cell that leaves all as it was but for the names it makes is a *leaf*: it runs only for cells that
need one of its names. All others run, in order: a cell may draw from random numbers that cells
below go on with, or set something in what another made. A leaf may run late, when cells below it
have run: so none of them makes its names too, or changes those it needs.
"""

import ast
import re
import symtable

# Calls of modules that only show something or state it.
SHOWS = re.compile(r"(check|plotting|plt)\.\w+|np\.testing\.\w+")
# What goes on from where it stood, or may do anything.
GO_ON = {"rng", "exec", "setattr"}


def describe(cells: list[tuple[str, list[str]]]) -> list[dict]:
    """Tell of each cell, given as text and tags, what the page must know.

    The names it ``needs`` of other cells, those it ``makes``, and whether it is a ``leaf``: as its
    text tells, or by the tag ``leaf``.
    """
    described = []
    wanted, made, changed = set(), set(), set()  # below: needed; made and needed; made or changed
    modules = set().union(*(imported_and_changed(text)[0] for text, _ in cells))
    for text, tags in reversed(cells):
        needs, makes = names_of(text)
        imported, own_changed = imported_and_changed(text)
        given = makes & wanted
        late = not given or not (given & made | needs & changed)
        leaf = "leaf" in tags or (late and not (own_changed | GO_ON) & (needs | imported))
        described.insert(0, {"leaf": leaf, "needs": sorted(needs), "makes": sorted(makes)})
        made |= given - modules
        changed |= (makes | own_changed) - modules
        wanted |= needs
    return described


def names_of(text: str) -> tuple[set[str], set[str]]:
    """The names that a cell may need of other cells, and those that it may make."""
    tree = ast.parse(text)
    needs, _ = needs_and_made(tree.body, set())
    declared = {
        name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names
    }
    return needs | declared, made_by(symtable.symtable(text, "cell", "exec")) | declared


def needs_and_made(statements: list[ast.stmt], made: set[str]) -> tuple[set[str], set[str]]:
    """The names that statements read before they are made, and those made for sure in the end."""
    needs = set()
    for statement in statements:
        handlers = getattr(statement, "handlers", [])
        blocks = [getattr(statement, name, []) for name in ("body", "orelse", "finalbody")]
        blocks += [each.body for each in handlers]
        if not any(blocks) or isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            scope = symtable.symtable(ast.unparse(statement), "cell", "exec")
            targets = getattr(statement, "targets", []) if isinstance(statement, ast.Delete) else []
            targets += [statement.target] if isinstance(statement, ast.AugAssign) else []
            needs |= read_in(scope).union(map(root, targets)) - made
            made = made | made_by(scope)
            continue
        # What stands before a colon; the names it makes are there in the blocks.
        parts = [part for each in [statement, *handlers] for part in ast.iter_child_nodes(each)]
        parts += [part for item in getattr(statement, "items", []) for part in vars(item).values()]
        inside = made | {each.name for each in handlers}
        for part in parts:
            if isinstance(part, ast.expr) and isinstance(getattr(part, "ctx", None), ast.Store):
                inside |= {node.id for node in ast.walk(part) if isinstance(node, ast.Name)}
            elif isinstance(part, ast.expr):
                needs |= read_in(symtable.symtable(ast.unparse(part), "cell", "exec")) - made
        for block in blocks:
            block_needs, block_made = needs_and_made(block, inside)
            needs |= block_needs
            if isinstance(statement, ast.With):  # its block runs once, all others perhaps never
                inside = made = block_made
    return needs, made


def made_by(scope: symtable.SymbolTable) -> set[str]:
    symbols = scope.get_symbols()
    return {each.get_name() for each in symbols if each.is_assigned() or each.is_imported()}


def read_in(scope: symtable.SymbolTable) -> set[str]:
    """The names of the cell that are read in a scope of it and in those within."""
    names = {
        each.get_name()
        for each in scope.get_symbols()
        if each.is_referenced() and (each.is_global() or scope.get_type() == "module")
    }
    return names.union(*map(read_in, scope.get_children()))


def imported_and_changed(text: str) -> tuple[set[str], set[str]]:
    """The names a cell imports, and those in which it may set something, or of which it calls."""
    imported, changed = set(), set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            imported |= {(each.asname or each.name).partition(".")[0] for each in node.names}
        elif isinstance(node, ast.AugAssign):
            changed.add(root(node.target))
        elif isinstance(node, (ast.Attribute, ast.Subscript, ast.Name)):
            binds = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            if not binds and not isinstance(node.ctx, ast.Load):
                changed.add(root(node))
        elif isinstance(node, ast.Global):
            changed |= set(node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "next":
            changed.add(root(node.args[0]))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            called = node.value.func
            if not isinstance(called, ast.Name) and not SHOWS.fullmatch(ast.unparse(called)):
                changed.add(root(called))
    return imported, changed


def root(node: ast.AST) -> str:
    """The name that an expression such as ``name.part[0]`` begins with, or ""."""
    while not isinstance(node, ast.Name):
        node = getattr(node, "value", None) or getattr(node, "func", None)
        if not isinstance(node, ast.expr):
            return ""
    return node.id
