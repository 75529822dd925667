// Which lines of two texts are the same, in order: the longest common subsequence.

/** Beyond this, finding it would take too long to be of use. */
const CELLS_MAX = 4_000_000;

/**
 * Rows of { left, right }: a line of each, or null where the other has one more. Equal lines stand beside each other.
 */
export function compareLines(left, right) {
  const a = left.split("\n");
  const b = right.split("\n");
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) {
    start += 1;
  }
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) {
    end += 1;
  }
  const rows = a.slice(0, start).map((line) => ({ left: line, right: line }));
  rows.push(...differing(a.slice(start, a.length - end), b.slice(start, b.length - end)));
  rows.push(...a.slice(a.length - end).map((line) => ({ left: line, right: line })));
  return rows;
}

function differing(a, b) {
  const rows = [];
  const width = b.length + 1;
  const table = (a.length + 1) * width <= CELLS_MAX ? commonLengths(a, b) : null;
  let i = 0;
  let j = 0;
  let lefts = [];
  let rights = [];
  const flush = () => {
    for (let k = 0; k < Math.max(lefts.length, rights.length); k += 1) {
      rows.push({ left: lefts[k] ?? null, right: rights[k] ?? null });
    }
    lefts = [];
    rights = [];
  };
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      flush();
      rows.push({ left: a[i], right: b[j] });
      i += 1;
      j += 1;
    } else if (j >= b.length || (i < a.length && (!table || table[(i + 1) * width + j] >= table[i * width + j + 1]))) {
      lefts.push(a[i]);
      i += 1;
    } else {
      rights.push(b[j]);
      j += 1;
    }
  }
  flush();
  return rows;
}

/** At (i, j), the length of the longest common subsequence of a[i..] and b[j..]. */
function commonLengths(a, b) {
  const width = b.length + 1;
  const table = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      table[i * width + j] =
        a[i] === b[j]
          ? table[(i + 1) * width + j + 1] + 1
          : Math.max(table[(i + 1) * width + j], table[i * width + j + 1]);
    }
  }
  return table;
}
