"""QuickSight: data sources, data sets, themes, analyses and dashboards, kept and checked behind AWS's own API."""
