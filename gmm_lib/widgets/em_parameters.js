// The table of an EM explorer in which the parameters on show are read and typed.
import { h, setAttribute } from "./elements.js";
import { nested } from "./em.js";
import { LIMIT } from "./numbers.js";

// Which numbers of a component can be typed.
const parameterFields = (d) =>
  /** @type {[trait: string, path: number[], symbol: string][]} */
  ([
    ["weights", [], "φ"],
    ...(d === 1
      ? [["means", [0], "μ"], ["covariances", [0, 0], "σ²"]]
      : [["means", [0], "μ₁"], ["means", [1], "μ₂"], ["covariances", [0, 0], "Σ₁₁"], ["covariances", [0, 1], "Σ₁₂"], ["covariances", [1, 1], "Σ₂₂"]]),
  ]);

// restart(parts): makes a start of what has been typed; false where that cannot be.
export function parameterTable(ex, restart) {
  const { t } = ex;
  const table = h("table");
  let mixture = null;

  function typed(j, name, at, value) {
    const parts = nested(mixture);
    if (name === "weights") {
      const rest = 1 - parts.weights[j];
      parts.weights = parts.weights.map((weight, l) => (l === j ? value : (weight * (1 - value)) / rest));
    } else if (name === "means") parts.means[j][at[0]] = value;
    else {
      const which = ex.state.covariance_type === "tied" ? parts.covariances : [parts.covariances[j]];
      for (const covariance of which) {
        covariance[at[0]][at[1]] = value;
        covariance[at[1]][at[0]] = value;
        if (ex.state.covariance_type === "spherical") covariance.forEach((line, a) => (line[a] = value));
      }
    }
    return restart(parts);
  }

  let inputs = [];
  let tableFor = "";
  // Made anew where the number of components or features is another; filled while it can be seen.
  function update(now) {
    if (!now) return;
    mixture = now.mixture;
    const { k, d } = mixture;
    const columns = parameterFields(d);
    if (tableFor !== `${k} ${d}`) {
      tableFor = `${k} ${d}`;
      inputs = Array.from({ length: k }, (_, j) =>
        columns.map(([name, at, symbol]) => {
          const limits = { weights: { min: 1e-6, max: 1 - 1e-6 }, means: {}, covariances: { min: -(LIMIT ** 2), max: LIMIT ** 2 } }[name];
          return ex.numberInput({ label: null, name: t("number-of", { symbol, j: j + 1 }), ...limits, onchange: (value) => typed(j, name, at, value) });
        }),
      );
      table.replaceChildren(
        h("caption", {}, t("parameters")),
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("component")), ...columns.map(([, , symbol]) => h("th", { scope: "col" }, symbol)))),
        h("tbody", {}, ...inputs.map((line, j) => h("tr", {}, h("th", { scope: "row" }, String(j + 1)), ...line.map((input) => h("td", {}, input))))),
      );
      if (k === 1) setAttribute(inputs[0][0], "disabled", true);
    }
    if (!table.closest("details").open) return;
    const parts = nested(mixture);
    inputs.forEach((line, j) =>
      line.forEach((input, c) => {
        const [name, at] = columns[c];
        input.set(at.reduce((value, i) => value[i], parts[name][j]));
        const off = (ex.state.covariance_type === "diag" || ex.state.covariance_type === "spherical") && at.length === 2 && at[0] !== at[1];
        setAttribute(input, "disabled", off || (k === 1 && name === "weights"));
      }),
    );
  }

  return { table, update };
}
