// Level lines of a function of two numbers, by marching squares, for explorers that draw a landscape.

// values[r * n + c] of f at the n x n nodes of a square grid over the domains, row by row in y.
export function sampleGrid(f, [x0, x1], [y0, y1], n) {
  const values = new Float64Array(n * n);
  for (let r = 0; r < n; r += 1) {
    for (let c = 0; c < n; c += 1) values[r * n + c] = f(x0 + ((x1 - x0) * c) / (n - 1), y0 + ((y1 - y0) * r) / (n - 1));
  }
  return values;
}

// Draws level lines, each the segments of levelSegments, over the whole of a plot; alpha(i): how strong line i is.
export function strokeLevels(context, { width, height }, lines, n, alpha) {
  const across = (c) => (c / (n - 1)) * width;
  const up = (r) => height - (r / (n - 1)) * height;
  lines.forEach((segments, i) => {
    context.globalAlpha = alpha(i);
    context.beginPath();
    for (const [xa, ya, xb, yb] of segments) {
      context.moveTo(across(xa), up(ya));
      context.lineTo(across(xb), up(yb));
    }
    context.stroke();
  });
  context.globalAlpha = 1;
}

// The segments [xa, ya, xb, yb] of one level line, in grid units (0 … n - 1).
export function levelSegments(values, n, level) {
  const segments = [];
  for (let r = 0; r < n - 1; r += 1) {
    for (let c = 0; c < n - 1; c += 1) {
      const at = r * n + c;
      const corners = [values[at], values[at + 1], values[at + n + 1], values[at + n]];
      const crossings = [];
      for (let side = 0; side < 4; side += 1) {
        const [a, b] = [corners[side], corners[(side + 1) % 4]];
        if (a < level === b < level) continue;
        const f = (level - a) / (b - a);
        crossings.push([[c + f, r], [c + 1, r + f], [c + 1 - f, r + 1], [c, r + 1 - f]][side]);
      }
      // A saddle has four crossings; which two belong together makes no difference that one could see.
      for (let i = 0; i + 1 < crossings.length; i += 2) segments.push([...crossings[i], ...crossings[i + 1]]);
    }
  }
  return segments;
}
