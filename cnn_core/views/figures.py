"""Charts that people explore: plain data in, Plotly figure out."""

import plotly.graph_objects as go

from cnn_core.views.charts import Chart

_MOST_POINTS = 400  # a line drawn on a screen needs no more


def figure(chart: Chart) -> go.Figure:
    """The chart with zoom and read-out."""
    drawn = go.Figure()
    for line in chart.lines:
        some = line.thinned(_MOST_POINTS)
        drawn.add_scatter(
            x=some.x,
            y=some.y,
            name=line.name,
            mode="lines+markers" if line.marks else "lines",
            line={"color": line.colour, "dash": line.dash, "width": 1 if line.faint else 2},
            opacity=0.25 if line.faint else 1,
            hoverinfo="skip" if line.faint else None,
        )
    drawn.update_layout(
        title={"text": chart.title, "font": {"size": 15}, "x": 0, "xref": "paper", "y": 0.98},
        height=260,
        margin={"l": 8, "r": 8, "t": 32, "b": 8},
        legend={"orientation": "h", "y": -0.22, "x": 0},
        hovermode="x unified",
        uirevision=chart.title,  # a zoom survives new data
    )
    drawn.update_xaxes(title={"text": chart.across, "standoff": 4}, rangemode="tozero")
    if chart.percent:
        # Shares end at 1, with room for a mark; ticks may be closer than 1%.
        drawn.update_yaxes(tickformat=".2~%", autorangeoptions={"clipmin": -0.03, "clipmax": 1.03})
    return drawn
