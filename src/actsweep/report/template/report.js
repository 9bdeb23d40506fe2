(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  // What depends on light or dark comes from the page's own style, so that both always agree.
  const theme = () => ({
    "paper_bgcolor": colour("--paper"),
    "plot_bgcolor": colour("--paper"),
    "font.color": colour("--ink"),
    "font.family": "system-ui, sans-serif",
    "hoverlabel.bgcolor": colour("--raised"),
    "hoverlabel.font.color": colour("--ink"),
    "xaxis.gridcolor": colour("--line"),
    "yaxis.gridcolor": colour("--line"),
  });
  const buttons = [["toImage", "zoom2d", "pan2d", "resetScale2d"]];
  const narrow = window.matchMedia("(max-width: 600px)").matches;
  const config = { responsive: true, displaylogo: false, modeBarButtons: buttons, displayModeBar: narrow ? false : "hover" };
  const plots = [...document.querySelectorAll("[data-figure]")];
  const dress = () => plots.forEach((plot) => Plotly.relayout(plot, theme()));
  Promise.all(
    plots.map((plot) => {
      const { data, layout } = figures[Number(plot.dataset.figure)];
      return Plotly.newPlot(plot, data, layout, config);
    }),
  ).then(dress);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dress);
})();
