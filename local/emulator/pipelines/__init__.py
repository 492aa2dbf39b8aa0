"""Runs SageMaker pipeline definitions on one machine. `PipelineEngine` is the way in."""

from local.emulator.pipelines.engine import PipelineEngine
from local.emulator.pipelines.settings import EngineSettings

__all__ = ["EngineSettings", "PipelineEngine"]
