// Figures and times in words.

const numbers = new Intl.NumberFormat("en");

export function count(number, one, many = `${one}s`) {
  return `${numbers.format(number)} ${number === 1 ? one : many}`;
}

export function number(value) {
  return numbers.format(value);
}

/** Three digits that matter: 0.42, 7.31, 128, 1.2 k. */
export function short(value) {
  if (!Number.isFinite(value)) {
    return "–";
  }
  const size = Math.abs(value);
  for (const [unit, name] of [[1e9, " G"], [1e6, " M"], [1e3, " k"]]) {
    if (size >= unit) {
      return `${digits(value / unit)}${name}`;
    }
  }
  return digits(value);
}

function digits(value) {
  const size = Math.abs(value);
  return String(Number(value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2)));
}

export function bytes(value) {
  for (const [unit, name] of [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]]) {
    if (value >= unit) {
      return `${digits(value / unit)} ${name}`;
    }
  }
  return count(value, "byte");
}

/** A span of seconds, in the unit that fits. */
export function seconds(value) {
  if (!Number.isFinite(value)) {
    return "–";
  }
  if (value < 1e-3) {
    return `${digits(value * 1e6)} µs`;
  }
  if (value < 1) {
    return `${digits(value * 1e3)} ms`;
  }
  return value < 60 ? `${digits(value)} s` : span(value * 1000);
}

/** How long, coarsely: 12 s, 3 min, 5 h, 9 days. */
export function span(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) {
    return `${s} s`;
  }
  if (s < 3600) {
    return `${Math.floor(s / 60)} min`;
  }
  return s < 172800 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86400)} days`;
}

export function ago(ms) {
  return ms < 1500 ? "just now" : `${span(ms)} ago`;
}

const pad = (value, width = 2) => String(value).padStart(width, "0");

/** A moment by this machine's clock: the time alone if it is today's. */
export function moment(ms) {
  const at = new Date(ms);
  const time = `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
  if (at.toDateString() === new Date().toDateString()) {
    return time;
  }
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${time}`;
}

/** The first digits of a uuid: enough to tell versions apart by eye. */
export function brief(uuid) {
  return uuid.slice(0, 8);
}
