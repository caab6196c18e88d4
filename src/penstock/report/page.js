"use strict";
(function () {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const specs = read("data-figures");
  const hours = read("data-dispatch");
  const config = { displayModeBar: false, responsive: true, showTips: false };
  const byId = (id) => document.getElementById(id);

  // --- charts, each drawn when it comes near the screen ---
  const draw = {};
  // On a narrow screen names beside bars go over several lines and days are named every other one.
  const NARROW = 440;
  const lines = (name) => name.split(" ").reduce((found, word) => {
    const last = found[found.length - 1];
    if (last && (last + " " + word).length <= 14) found[found.length - 1] = last + " " + word;
    else found.push(word);
    return found;
  }, []).join("<br>");
  const fitted = (plot, layout) => {
    if (plot.clientWidth >= NARROW) return layout;
    const found = Object.assign({}, layout);
    const small = { size: 11 };
    if (layout.yaxis && layout.yaxis.ticktext) {
      found.yaxis = Object.assign({}, layout.yaxis, { ticktext: layout.yaxis.ticktext.map(lines), tickfont: small });
      found.margin = Object.assign({}, layout.margin, { l: 8, r: 12 });
    }
    if (layout.xaxis && layout.xaxis.dtick === 86400000) {
      found.xaxis = Object.assign({}, layout.xaxis, { dtick: 2 * 86400000, tickangle: 0, tickfont: small });
    }
    return found;
  };
  Object.keys(specs).forEach((id) => {
    draw[id] = () => Plotly.newPlot(byId(id), specs[id].data, fitted(byId(id), specs[id].layout), config);
  });

  // --- the week chart ---
  const unpack = (text) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    const values = new Int32Array(bytes.length / 4);
    for (let i = 0; i < values.length; i += 1) values[i] = view.getInt32(4 * i, true);
    return values;
  };
  const unpacked = {};
  const side = (name) => {
    if (!unpacked[name]) {
      const from = hours.sides[name];
      const generation = {};
      Object.keys(from.generation).forEach((fuel) => { generation[fuel] = unpack(from.generation[fuel]); });
      const maybe = (text) => (text ? unpack(text) : null);
      unpacked[name] = {
        generation, demand: unpack(from.demand), load: maybe(from.load), unserved: maybe(from.unserved),
      };
    }
    return unpacked[name];
  };
  const weekTraces = (name, week, weeks) => {
    const data = side(name);
    const first = week * 7;
    const last = week === weeks - 1 ? hours.days.length : first + 7;
    const x = [];
    for (let day = first; day < last; day += 1) {
      for (let hour = 0; hour < 24; hour += 1) x.push(hours.days[day] + " " + String(hour).padStart(2, "0") + ":00");
    }
    const slice = (values) => Array.from(values.subarray(first * 24, last * 24));
    const area = (label, values, colour, pattern) => ({
      type: "scatter", mode: "lines", stackgroup: "generation", name: label, x, y: slice(values),
      line: { color: "#fff", width: 0.6 }, fillcolor: colour, fillpattern: { shape: pattern || "" },
      hovertemplate: "%{y:,.0f} MW",
    });
    const traces = hours.fuels.filter((fuel) => data.generation[fuel])
      .map((fuel) => area(hours.names[fuel], data.generation[fuel], hours.colours[fuel]));
    if (data.unserved) traces.push(area("Not served", data.unserved, "#ff6f61", "/"));
    const line = (label, values, dash) => ({
      type: "scatter", mode: "lines", name: label, x, y: slice(values),
      line: { color: "#000", width: 2, dash }, hovertemplate: "%{y:,.0f} MW",
    });
    traces.push(line("Consumers' demand", data.demand, "solid"));
    if (data.load) traces.push(line("Consumers and programme", data.load, "dot"));
    return traces;
  };
  const week = byId("week");
  draw["chart-dispatch"] = () => {
    const name = document.querySelector("input[name=dispatch-side]:checked").value;
    const layout = Object.assign({}, fitted(byId("chart-dispatch"), specs["chart-dispatch"].layout));
    layout.yaxis = Object.assign({}, layout.yaxis, { range: [0, hours.top_mw], autorange: false });
    Plotly.react(byId("chart-dispatch"), weekTraces(name, week.selectedIndex, week.options.length), layout, config);
  };
  week.addEventListener("change", draw["chart-dispatch"]);
  document.querySelectorAll("input[name=dispatch-side]").forEach((input) => {
    input.addEventListener("change", draw["chart-dispatch"]);
  });
  const step = (by) => () => {
    week.selectedIndex = Math.min(week.options.length - 1, Math.max(0, week.selectedIndex + by));
    draw["chart-dispatch"]();
  };
  byId("week-before").addEventListener("click", step(-1));
  byId("week-after").addEventListener("click", step(1));

  // --- charts with a choice: two lines for each choice ---
  document.querySelectorAll("select[data-chart]").forEach((select) => {
    select.addEventListener("change", () => {
      const id = select.dataset.chart;
      const visible = specs[id].data.map((_, n) => Math.floor(n / 2) === select.selectedIndex);
      specs[id].data.forEach((trace, n) => { trace.visible = visible[n]; });
      Plotly.restyle(byId(id), { visible });
    });
  });

  const near = new IntersectionObserver((entries) => {
    entries.filter((entry) => entry.isIntersecting).forEach((entry) => {
      near.unobserve(entry.target);
      draw[entry.target.id]();
    });
  }, { rootMargin: "1200px" });
  document.querySelectorAll(".plot").forEach((plot) => near.observe(plot));
  window.addEventListener("beforeprint", () => {
    document.querySelectorAll(".plot").forEach((plot) => {
      if (!plot.querySelector("svg")) { near.unobserve(plot); draw[plot.id](); }
    });
  });

  // --- the map's two sides ---
  document.querySelectorAll("input[name=map-side]").forEach((input) => {
    input.addEventListener("change", () => {
      document.querySelectorAll(".map").forEach((map) => map.classList.toggle("off", map.id !== input.value));
    });
  });
})();
