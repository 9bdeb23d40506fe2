// Draws the page's figures and its table of trials; called again with newer data it keeps what the reader has chosen.
window.actsweep = (() => {
  "use strict";
  const ROWS = 25; // of the table, shown at first
  const MORE = 200;
  const narrow = window.matchMedia("(max-width: 600px)");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  const make = (tag, properties = {}, children = []) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };

  // What depends on light or dark comes from the page's own style, so that both always agree.
  const themed = (layout, revision) => {
    const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const axis = { gridcolor: colour("--line"), linecolor: colour("--line") };
    return {
      ...layout,
      paper_bgcolor: colour("--paper"),
      plot_bgcolor: colour("--paper"),
      font: { color: colour("--ink"), family: "system-ui, sans-serif" },
      hoverlabel: { bgcolor: colour("--raised"), font: { color: colour("--ink") } },
      xaxis: { ...axis, ...layout.xaxis },
      yaxis: { ...axis, ...layout.yaxis },
      uirevision: revision, // what the reader has zoomed or hidden stays while the same view is drawn anew
    };
  };

  const select = (label, options, chosen, changed, of = "") => {
    const choices = options.map((text, index) => make("option", { value: index, textContent: text }));
    const box = make("select", { onchange: () => changed(options[box.value]), ariaLabel: of ? `${label}: ${of}` : label }, choices);
    box.value = Math.max(0, options.indexOf(chosen));
    return make("label", {}, [`${label} `, box]);
  };

  // Figures: each is a list of views, of which one is shown, chosen by its stratum and its form.
  const figures = (() => {
    const chosen = new Map(); // by place: { where, form }
    let specifications = [];

    const view = (place) => {
      const views = specifications[place];
      const { where, form } = chosen.get(place) ?? {};
      const here = views.filter((one) => one.where === where);
      const among = here.length ? here : views.filter((one) => one.where === views[0].where);
      return among.find((one) => one.form === form) ?? among[0];
    };

    const config = () => ({
      responsive: true,
      displaylogo: false,
      modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]],
      displayModeBar: narrow.matches ? false : "hover",
    });

    // Each trace by what it is of, so that a hidden arm stays hidden when others come before it.
    const known = new Map(); // by what a trace is of: a number, as plotly takes nothing else into its selectors
    const identified = (data) => {
      const seen = new Map();
      return data.map((trace) => {
        const kind = JSON.stringify([trace.name, trace.mode, trace.fill]);
        seen.set(kind, (seen.get(kind) ?? 0) + 1);
        const key = `${seen.get(kind)} ${kind}`;
        if (!known.has(key)) known.set(key, known.size);
        return { ...trace, uid: `of${known.get(key)}` };
      });
    };

    // The page's own rules say how high a plot is; how wide is left to plotly, but for paper, which does not wait.
    const size = (plot) => ({
      height: plot.clientHeight,
      ...(document.documentElement.classList.contains("printing") ? { width: plot.clientWidth } : {}),
    });

    const show = (plot) => {
      const { where, form, data, layout, caption } = view(Number(plot.dataset.figure));
      document.getElementById(plot.getAttribute("aria-describedby")).textContent = caption;
      const drawn = Plotly.react(plot, identified(data), themed({ ...structuredClone(layout), ...size(plot) }, `${where}|${form}`), config());
      // Of the tool bar's buttons none says which plot it is of: they are for the mouse.
      return drawn.then(() => plot.querySelectorAll(".modebar-btn").forEach((button) => (button.tabIndex = -1)));
    };

    const offer = (plot) => {
      const place = Number(plot.dataset.figure);
      const box = document.querySelector(`[data-choices="${place}"]`);
      const choose = (key) => (value) => {
        chosen.set(place, { ...view(place), ...chosen.get(place), [key]: value });
        offer(plot);
        show(plot);
      };
      const current = view(place);
      const title = document.getElementById(plot.getAttribute("aria-labelledby")).textContent;
      const values = (key, views) => [...new Set(views.map((one) => one[key]))];
      const where = values("where", specifications[place]);
      const form = values("form", specifications[place].filter((one) => one.where === current.where));
      const selects = [
        ...(where.length > 1 ? [select("at", where, current.where, choose("where"), title)] : []),
        ...(form.length > 1 ? [select("show", form, current.form, choose("form"), title)] : []),
      ];
      const focused = [...box.querySelectorAll("select")].indexOf(document.activeElement);
      box.replaceChildren(...selects);
      if (focused >= 0) box.querySelectorAll("select")[focused]?.focus();
    };

    const plots = () => [...document.querySelectorAll("[data-figure]")];
    const draw = (found) => {
      specifications = found;
      return Promise.all(
        plots().map((plot) => {
          offer(plot);
          return show(plot);
        }),
      );
    };
    const again = () => plots().forEach(show);
    dark.addEventListener("change", again);
    // Paper is white and narrow, whatever the screen.
    const printing = (is) => () => {
      document.documentElement.classList.toggle("printing", is);
      again();
    };
    window.addEventListener("beforeprint", printing(true));
    window.addEventListener("afterprint", printing(false));
    return { draw };
  })();

  // The table of trials: all of it in memory, the rows that are asked for in the page.
  const trials = (() => {
    let table = { columns: [], rows: [], choices: [] };
    const state = { by: null, up: true, words: "", only: {}, shown: ROWS };

    const text = (value, { decimals }) => {
      if (value === null || value === undefined) return "-";
      return decimals !== null && typeof value === "number" ? value.toFixed(decimals) : String(value);
    };

    const compare = (a, b) => {
      if (a === b) return 0;
      if (a === null || a === undefined) return 2; // last, whichever way the others go
      if (b === null || b === undefined) return -2;
      if (typeof a === "number" && typeof b === "number") return a < b ? -1 : 1;
      return String(a).localeCompare(String(b), "en", { numeric: true });
    };

    const kept = () => {
      const words = state.words.toLowerCase().split(/\s+/).filter(Boolean);
      const fits = (row) =>
        Object.entries(state.only).every(([title, value]) => {
          const place = table.columns.findIndex((column) => column.title === title);
          return !value || place < 0 || row[place] === value;
        }) && words.every((word) => row.some((value, place) => text(value, table.columns[place]).toLowerCase().includes(word)));
      const rows = table.rows.filter(fits);
      const by = table.columns.findIndex((column) => column.title === state.by);
      if (by < 0) return rows;
      return [...rows].sort((one, two) => {
        const order = compare(one[by], two[by]);
        return Math.abs(order) === 2 ? order : state.up ? order : -order;
      });
    };

    const head = () => {
      const cells = table.columns.map(({ title }) => {
        const active = state.by === title;
        const sort = () => {
          state.up = active ? !state.up : true;
          state.by = title;
          fill();
          document.querySelector(`[data-trials] button[data-title="${CSS.escape(title)}"]`)?.focus();
        };
        const button = make("button", { type: "button", textContent: title }); // for the keyboard: its click is the heading's
        button.dataset.title = title;
        const cell = make("th", { scope: "col", onclick: sort }, [button]);
        cell.setAttribute("aria-sort", active ? (state.up ? "ascending" : "descending") : "none");
        return cell;
      });
      return make("thead", {}, [make("tr", {}, cells)]);
    };

    const line = (row) => {
      const cells = table.columns.map((column, place) => make(place ? "td" : "th", { textContent: text(row[place], column) }));
      cells[0].scope = "row";
      return make("tr", {}, cells);
    };

    const fill = () => {
      const rows = kept();
      const shown = rows.slice(0, state.shown);
      document.querySelector("[data-trials]").replaceChildren(head(), make("tbody", {}, shown.map(line)));
      const of = rows.length < table.rows.length ? ` found, of ${table.rows.length}` : "";
      const first = shown.length < rows.length ? `the first ${shown.length} of ` : "";
      document.querySelector("[data-count]").textContent = `${first}${rows.length} ${rows.length === 1 ? "trial" : "trials"}${of}`;
      const more = document.querySelector("[data-more]");
      more.hidden = shown.length === rows.length;
      more.onclick = () => {
        state.shown += MORE;
        fill();
      };
    };

    const changed = (change) => {
      change();
      state.shown = ROWS;
      fill();
    };

    const offer = () => {
      const box = document.querySelector("[data-filters]");
      if (box.contains(document.activeElement)) return; // the reader is at it
      const search = make("input", { type: "search", value: state.words, placeholder: "any words" });
      search.oninput = () => changed(() => (state.words = search.value));
      const selects = table.choices.map((place) => {
        const { title } = table.columns[place];
        const values = [...new Set(table.rows.map((row) => row[place]))].filter((value) => value !== null).map(String).sort();
        const all = `all (${values.length})`;
        if (!values.includes(state.only[title])) delete state.only[title];
        const choose = (value) => changed(() => (state.only[title] = value === all ? "" : value));
        return select(title, [all, ...values], state.only[title] || all, choose);
      });
      box.replaceChildren(make("label", {}, ["find ", search]), ...selects);
    };

    const draw = (found) => {
      table = found;
      offer();
      fill();
    };
    return { draw };
  })();

  const draw = (data) => {
    trials.draw(data.trials);
    return figures.draw(data.figures);
  };
  return { draw };
})();
