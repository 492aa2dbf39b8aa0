"""SageMaker's control and runtime API, on one machine: one account, one region, processes instead of instances."""
