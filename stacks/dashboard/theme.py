"""The dashboard's colours and type, as QuickSight's theme has them.

After Okabe and Ito. Those that stand in one chart are told apart with every kind of colour blindness, and all of them
stand out from a white and from a dark ground by at least 3 to 1, text by at least 4.5 to 1 (the tests measure it).
"""

from typing import Any

ORANGE, BLUE, GREEN, PURPLE, GREY, VERMILION, SKY = (
    "#B06A00",
    "#1F8ADB",
    "#00784A",
    "#A0459B",
    "#8A8A8A",
    "#BF3D12",
    "#2E7F9E",
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
        "Accent": "#0B62A8",
        "AccentForeground": "#FFFFFF",
        "Danger": "#B3261E",
        "DangerForeground": "#FFFFFF",
        "Warning": "#8A5A00",
        "WarningForeground": "#FFFFFF",
        "Success": GREEN,
        "SuccessForeground": "#FFFFFF",
        "Dimension": "#1F2933",
        "DimensionForeground": "#FFFFFF",
        "Measure": "#0B62A8",
        "MeasureForeground": "#FFFFFF",
    },
    "Sheet": {
        "Tile": {"Border": {"Show": True}},
        "TileLayout": {"Gutter": {"Show": True}, "Margin": {"Show": True}},
    },
}
