"""Cycles in a graph of transactions whose edges have kinds, and their names."""

import collections

# From the worst: the name, the kinds of edges on the way, and how many rw edges there are (None: any number from one).
ANOMALIES = [("G0", ("ww",), 0), ("G1c", ("ww", "wr"), 0), ("G-single", ("ww", "wr"), 1), ("G2", ("ww", "wr", "rw"), None)]
ORDERS = [("", ()), ("-session", ("session",)), ("-real-time", ("session", "real-time"))]


class Edges:
    """Edges between objects, each known by its identity."""

    def __init__(self):
        self._number, self.nodes = {}, []
        self.kinds = collections.defaultdict(set)  # (from, to): kinds
        self.next = collections.defaultdict(set)

    def _id(self, node):
        if id(node) not in self._number:
            self._number[id(node)] = len(self.nodes)
            self.nodes.append(node)
        return self._number[id(node)]

    def add(self, a, b, kind):
        if a is not b:
            a, b = self._id(a), self._id(b)
            self.kinds[a, b].add(kind)
            self.next[a].add(b)


def anomalies(edges):
    """The worst cycle of each knot, in words."""
    return [_worst(edges, set(component)) for component in _components(edges) if len(component) > 1]


def _worst(edges, members):
    for order, extra in ORDERS:
        for name, kinds, rw in ANOMALIES:
            cycle = _cycle(edges, members, set(kinds) | set(extra), rw)
            if cycle:
                return f"{name}{order}: {_words(edges, cycle)}"
    return f"a cycle among {len(members)} transactions"


def _cycle(edges, members, kinds, rw):
    """A cycle of these kinds; with rw, one that has an rw edge first."""
    for a in sorted(members):
        for b in edges.next[a] & members:
            first = {"rw"} if rw != 0 else kinds - {"session", "real-time"}
            if edges.kinds[a, b] & first:
                way = _way(edges, members, b, a, kinds)
                if way:
                    return [a, *way]
    return None


def _way(edges, members, start, goal, kinds):
    """The shortest way, breadth first."""
    came, queue = {start: None}, collections.deque([start])
    while queue:
        at = queue.popleft()
        if at == goal:
            way = []
            while at is not None:
                way.append(at)
                at = came[at]
            return way[::-1]
        for after in edges.next[at] & members:
            if after not in came and edges.kinds[at, after] & kinds:
                came[after] = at
                queue.append(after)
    return None


def _words(edges, cycle):
    steps = [str(edges.nodes[cycle[0]])]
    for a, b in zip(cycle, cycle[1:]):
        steps.append(f"—{'/'.join(sorted(edges.kinds[a, b]))}→ {edges.nodes[b]}")
    return " ".join(steps)


def _components(edges):
    """Tarjan's, without recursion: histories are longer than Python's stack."""
    index, low, on_stack, stack, found = {}, {}, set(), [], []
    for root in range(len(edges.nodes)):
        if root in index:
            continue
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        work = [(root, iter(edges.next[root]))]
        while work:
            node, rest = work[-1]
            child = next(rest, None)
            if child is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    found.append(_pop(stack, on_stack, node))
            elif child not in index:
                index[child] = low[child] = len(index)
                stack.append(child)
                on_stack.add(child)
                work.append((child, iter(edges.next[child])))
            elif child in on_stack:
                low[node] = min(low[node], index[child])
    return found


def _pop(stack, on_stack, until):
    component = []
    while True:
        node = stack.pop()
        on_stack.discard(node)
        component.append(node)
        if node == until:
            return component
