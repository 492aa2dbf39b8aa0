"""QuickSight's shapes."""

from local.emulator.quicksight.errors import InvalidParameter
from local.emulator.shapes import ServiceShapes

SHAPES = ServiceShapes("quicksight", invalid=InvalidParameter)
