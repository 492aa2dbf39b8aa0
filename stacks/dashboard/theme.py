"""The dashboard's colours and type, as QuickSight's theme has them.

Those that stand in one chart are told apart with every kind of colour blindness (tests/dashboard), and each stands out
by at least 3 to 1 from a white ground and from a dark one; text by at least 4.5 to 1.
"""

from typing import Any

ORANGE, BLUE, GREEN, PURPLE, GREY, VERMILION = "#B06A00", "#1F8ADB", "#00784A", "#A0459B", "#8A8A8A", "#BF3D12"
# More colours, for charts with more series than the palette has apart from each other.
CRIMSON, MAGENTA = "#DD0044", "#CC00AA"
# For marks over bars of any colour.
INK = "#1F2933"
# For text and what carries text.
_DARK_BLUE = "#0B5A9C"

THEME: dict[str, Any] = {
    "DataColorPalette": {
        "Colors": [BLUE, ORANGE, GREEN, GREY, PURPLE, VERMILION],
        "MinMaxGradient": ["#DCEBF5", _DARK_BLUE],
        "EmptyFillColor": "#D9D9D9",
    },
    "UIColorPalette": {
        "PrimaryForeground": INK,
        "PrimaryBackground": "#FFFFFF",
        "SecondaryForeground": "#4A5560",
        "SecondaryBackground": "#F4F6F8",
        "Accent": _DARK_BLUE,
        "AccentForeground": "#FFFFFF",
        "Danger": "#B3261E",
        "DangerForeground": "#FFFFFF",
        "Warning": "#8A5A00",
        "WarningForeground": "#FFFFFF",
        "Success": GREEN,
        "SuccessForeground": "#FFFFFF",
        "Dimension": INK,
        "DimensionForeground": "#FFFFFF",
        "Measure": _DARK_BLUE,
        "MeasureForeground": "#FFFFFF",
    },
    "Sheet": {
        "Tile": {"Border": {"Show": True}},
        "TileLayout": {"Gutter": {"Show": True}, "Margin": {"Show": True}},
    },
}
