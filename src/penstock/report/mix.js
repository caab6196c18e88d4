"use strict";
(function () {
  const byId = (id) => document.getElementById(id);
  const specs = JSON.parse(byId("data-figures").textContent);
  const config = { displayModeBar: false, responsive: true, showTips: false };
  const drawn = (plot) => Plotly.newPlot(plot, specs[plot.id].data, specs[plot.id].layout, config);

  // --- charts, each drawn when it comes near the screen ---
  const near = new IntersectionObserver((entries) => {
    entries.filter((entry) => entry.isIntersecting).forEach((entry) => {
      near.unobserve(entry.target);
      drawn(entry.target);
    });
  }, { rootMargin: "1200px" });
  document.querySelectorAll(".plot").forEach((plot) => near.observe(plot));
  window.addEventListener("beforeprint", () => {
    document.querySelectorAll(".plot").forEach((plot) => {
      if (!plot.querySelector("svg")) { near.unobserve(plot); drawn(plot); }
    });
  });
})();
