// Numbers as a reader can read them, and the ticks of an axis.
export const CHARACTER = 7.7; // px: about the width of a digit of a tick
export const LIMIT = 1e6; // no coordinate that a reader, a link or Python brings is further out; base.LIMIT is the same

// At most `digits` significant digits, no trailing zeros; what would fill a line with zeros as a multiple of a power of
// ten. base.format_number in Python writes the same.
export function formatNumber(value, digits = 4) {
  if (!Number.isFinite(value)) return "–"; // an explorer must say why instead; this is only the last line of defence
  const rounded = Number(value.toPrecision(digits));
  if (rounded === 0) return "0";
  if (Math.abs(rounded) >= 1e-6 && Math.abs(rounded) < 1e9) return String(rounded);
  return withPower(Number(rounded.toExponential().split("e")[0]), Number(rounded.toExponential().split("e")[1]));
}

// With `decimals` places after the point, as long as that is a number one can read; base.format_fixed in Python.
export function formatFixed(value, decimals) {
  return Math.abs(value) < 1e9 ? value.toFixed(decimals) : formatNumber(value);
}

function withPower(mantissa, exponent) {
  return `${mantissa} × ${powerOfTen(exponent)}`;
}

// Text with a true minus where a hyphen stands before a number; base.minus in Python does the same.
export function minus(text) {
  return text.replace(/(^|[^\p{L}\p{N}])-(?=\d)/gu, "$1−");
}

// As formatNumber, but tiny and huge numbers as a multiple of a power of ten; base.powers in Python writes the same.
export function formatPower(value, digits = 4) {
  if (value === 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e5)) return formatNumber(value, digits);
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  return withPower(mantissa, Number(exponent));
}

// 10 raised to a whole number, as text.
export function powerOfTen(exponent) {
  return `10${Array.from(String(exponent), (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("")}`;
}

// Whole per cent, never 0% or 100% of what is not exactly so.
export function formatPercent(share) {
  if (share > 0 && share < 0.01) return "<1%";
  if (share > 0.99 && share < 1) return ">99%";
  return `${Math.round(100 * share)}%`;
}

export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

// Places from low to high at which to compute a curve: even, and closer around each of `peaks` [center, width].
export function samples([low, high], peaks = [], close = 20) {
  const xs = Array.from({ length: 241 }, (_, i) => low + ((high - low) * i) / 240);
  for (const [center, width] of peaks) for (let i = -close; i <= close; i += 1) xs.push(clamp(center + (4 * i * width) / close, low, high));
  return xs.sort((a, b) => a - b);
}

// Round numbers that cut [low, high] in about `count` parts.
export function niceTicks(low, high, count = 6) {
  const raw = (high - low) / Math.max(count, 1);
  if (!(raw > 0) || !Number.isFinite(raw)) return [low];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= raw * 0.999);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  if (!(last - first < 1000)) return [low];
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

// A tick's number in full, as ticks are round; only what is huge is cut.
export function formatTick(value) {
  return formatNumber(value, Math.abs(value) < 1e9 ? 12 : 3);
}

// The ticks of an axis and their texts: [[value, text], …]; along `room` px every other one, where the texts would meet.
export function labelled(domain, { ticks, format }, room = Infinity) {
  let found = niceTicks(...domain, ticks).map((value) => [value, minus(format(value))]);
  const longest = Math.max(...found.map(([, text]) => text.length));
  while (found.length > 2 && found.length * (CHARACTER * longest + 8) > room) found = found.filter((_, i) => i % 2 === 0);
  return found;
}
