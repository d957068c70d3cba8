"""What may happen to a mesh, and what must be true all the same.

Each scenario is a function of a `Bench`: it begins a load, brings a fault about, ends the load, and says what it found.
`@scenario` gives it its name, the fault in words, and whether it is in the short version and in `make chaos`.
"""

from bench import ALL

from . import scale, nodes, names, network, stages, overload  # noqa: F401, in the order of the table
