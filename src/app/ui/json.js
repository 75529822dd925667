// JSON as text: checked, laid out and coloured token by token, so that no number and no order of keys is changed on the
// way, as reading it into values would.

const TOKEN =
  /[ \t\n\r]+|[{}[\],:]|"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

const KINDS = { '"': "string", t: "literal", f: "literal", n: "literal" };

/** What is wrong, and where. */
export class Fault extends Error {
  constructor(text, at, message) {
    super(message);
    const before = text.slice(0, at).split("\n");
    this.at = at;
    this.line = before.length;
    this.column = before.at(-1).length + 1;
  }
}

/** What may come next, by what was expected: the kinds of tokens, and what to call them. */
const EXPECTED = {
  value: "a value",
  "value or ]": "a value or ]",
  key: "a key in double quotes",
  "key or }": "a key in double quotes or }",
  ":": "a colon",
  ", or }": "a comma or }",
  ", or ]": "a comma or ]",
  end: "nothing more",
};

function kindOf(token) {
  return KINDS[token[0]] ?? ("{}[],:".includes(token[0]) ? token[0] : "number");
}

/** What is expected after a value, by the bracket around it. */
function afterValue(stack) {
  return stack.length === 0 ? "end" : stack.at(-1) === "{" ? ", or }" : ", or ]";
}

/** The next expectation, or null if `kind` may not come. Opening and closing changes `stack`. */
function step(expected, kind, stack) {
  const closes = kind === "}" || kind === "]";
  if (closes && expected.endsWith(`or ${kind}`)) {
    stack.pop();
    return afterValue(stack);
  }
  if (expected.startsWith("key")) {
    return kind === "string" ? ":" : null;
  }
  if (expected === ":") {
    return kind === ":" ? "value" : null;
  }
  if (expected.startsWith(",")) {
    return kind === "," ? (stack.at(-1) === "{" ? "key" : "value") : null;
  }
  if (!expected.startsWith("value") || closes || kind === "," || kind === ":") {
    return null;
  }
  if (kind === "{" || kind === "[") {
    stack.push(kind);
    return kind === "{" ? "key or }" : "value or ]";
  }
  return afterValue(stack);
}

/** The tokens of one JSON value, blanks left out: { kind, text, isKey }. Throws a Fault if it is none. */
export function* tokens(text) {
  const stack = [];
  let expected = "value";
  let at = 0;
  while (at < text.length) {
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text)?.[0];
    if (found === undefined) {
      throw new Fault(text, at, text[at] === '"' ? "this text in quotes does not end well" : `${EXPECTED[expected]} was expected`);
    }
    if (!" \t\n\r".includes(found[0])) {
      const kind = kindOf(found);
      const isKey = expected.startsWith("key");
      const next = step(expected, kind, stack);
      if (next === null) {
        throw new Fault(text, at, `${EXPECTED[expected]} was expected`);
      }
      expected = next;
      yield { kind, text: found, isKey: isKey && kind === "string" };
    }
    at += found.length;
  }
  if (expected !== "end") {
    throw new Fault(text, at, `${EXPECTED[expected]} was expected, but the text ends`);
  }
}

/** The Fault of a text that is no JSON value; null if it is one. */
export function faultOf(text) {
  try {
    for (const _ of tokens(text)) {
      // Only whether it goes through.
    }
    return null;
  } catch (fault) {
    if (fault instanceof Fault) {
      return fault;
    }
    throw fault;
  }
}

const OPENING = new Set(["{", "["]);

/** The tokens with line breaks and indentation as tokens of kind `blank` between them. */
export function* laidOut(text) {
  let depth = 0;
  let before = null;
  for (const token of tokens(text)) {
    const closing = token.kind === "}" || token.kind === "]";
    const opened = before !== null && OPENING.has(before);
    depth -= closing ? 1 : 0;
    if ((closing && !opened) || (!closing && (opened || before === ","))) {
      yield { kind: "blank", text: `\n${"  ".repeat(depth)}` };
    } else if (before === ":") {
      yield { kind: "blank", text: " " };
    }
    depth += OPENING.has(token.kind) ? 1 : 0;
    before = token.kind;
    yield token;
  }
}

/** The same value, one member a line. */
export function layOut(text) {
  return Array.from(laidOut(text), (token) => token.text).join("");
}
