"""SageMaker's shapes."""

from local.emulator.shapes import ServiceShapes

SHAPES = ServiceShapes("sagemaker")
