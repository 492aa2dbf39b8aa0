"""The dashboard's colours and type, as QuickSight's theme has them.

Okabe and Ito's palette: its colours are told apart with every kind of colour blindness; darkened where needed, so that
each stands out from white by at least 3 to 1, and text by at least 4.5 to 1.
"""

from typing import Any

ORANGE, BLUE, GREEN, PURPLE, GREY, VERMILION, SKY = (
    "#B87400",
    "#0072B2",
    "#00805F",
    "#A8558A",
    "#6B6B6B",
    "#C04E00",
    "#2B87B8",
)

THEME: dict[str, Any] = {
    "DataColorPalette": {
        "Colors": [BLUE, ORANGE, GREEN, PURPLE, VERMILION, SKY, GREY],
        "MinMaxGradient": ["#DCEBF5", BLUE],
        "EmptyFillColor": "#D9D9D9",
    },
    "UIColorPalette": {
        "PrimaryForeground": "#1F2933",
        "PrimaryBackground": "#FFFFFF",
        "SecondaryForeground": "#4A5560",
        "SecondaryBackground": "#F4F6F8",
        "Accent": BLUE,
        "AccentForeground": "#FFFFFF",
        "Danger": "#B3261E",
        "DangerForeground": "#FFFFFF",
        "Warning": "#8A5A00",
        "WarningForeground": "#FFFFFF",
        "Success": GREEN,
        "SuccessForeground": "#FFFFFF",
        "Dimension": "#1F2933",
        "DimensionForeground": "#FFFFFF",
        "Measure": BLUE,
        "MeasureForeground": "#FFFFFF",
    },
    "Sheet": {
        "Tile": {"Border": {"Show": True}},
        "TileLayout": {"Gutter": {"Show": True}, "Margin": {"Show": True}},
    },
}
