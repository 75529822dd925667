// The node that served this page: every request of the console goes through here, to it and to nobody else.
// It also knows whether the node answers; whoever shows something old has to say so.

/** The node answered, and refused. */
export class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** No answer came: whether a write took place is not known. */
export class Silent extends Error {}

class Link extends EventTarget {
  up = true;
  heard = Date.now();

  set(up) {
    if (up) {
      this.heard = Date.now();
    }
    if (this.up !== up) {
      this.up = up;
      this.dispatchEvent(new Event("change"));
    }
  }
}

/** `change` is dispatched when the node stops answering and when it answers again. */
export const link = new Link();

const PATIENCE_MS = 5000;

async function exchange(method, target, { body, headers } = {}) {
  try {
    const response = await fetch(target, {
      method,
      body,
      headers,
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const answer = {
      status: response.status,
      header: (name) => response.headers.get(name),
      text: await response.text(),
    };
    link.set(true);
    return answer;
  } catch (error) {
    link.set(false);
    throw new Silent("the node did not answer", { cause: error });
  }
}

function refusal(answer) {
  let told = {};
  try {
    told = JSON.parse(answer.text).error ?? {};
  } catch {
    // No answer of KVS's: of a proxy between, say.
  }
  return new Refused(answer.status, told.code ?? "", told.message ?? `the answer was ${answer.status}`);
}

/** The JSON of a GET. */
export async function read(target) {
  const answer = await exchange("GET", target);
  // A node that is not well says so with 503 and all of its page.
  if (answer.status !== 200 && !(target === "/health" && answer.status === 503)) {
    throw refusal(answer);
  }
  return JSON.parse(answer.text);
}

/** The text of a GET. */
export async function readText(target) {
  const answer = await exchange("GET", target);
  if (answer.status !== 200) {
    throw refusal(answer);
  }
  return answer.text;
}

/** Where a key is: each segment escaped, the slashes kept. */
export function escapePath(path) {
  return path.split("/").map(encodeURIComponent).join("/");
}

const target = (path) => `/kv/${escapePath(path)}`;

/**
 * The live version under a key: { text, uuid, timestamp, expires, proxied } (expires: Unix ms, 0 if it stays); null if there is none; "same" if it is still `known`.
 */
export async function getValue(path, known) {
  const headers = known ? { "If-None-Match": `"${known}"` } : {};
  const answer = await exchange("GET", target(path), { headers });
  if (answer.status === 304) {
    return "same";
  }
  if (answer.status === 404) {
    return null;
  }
  if (answer.status !== 200) {
    throw refusal(answer);
  }
  return {
    text: answer.text,
    uuid: answer.header("ETag").slice(1, -1),
    timestamp: Number(answer.header("X-KVS-Timestamp")),
    expires: Number(answer.header("X-KVS-Expires") ?? 0),
    proxied: answer.header("X-KVS-Source") === "proxy",
  };
}

/** What must hold for a write: the version `uuid` is live; without one, nothing is. */
function condition(uuid) {
  return uuid ? { "If-Match": `"${uuid}"` } : { "If-None-Match": "*" };
}

/** Stores `text` if `uuid` is what is live under the key (null: if nothing is); the new version. */
export async function putValue(path, text, uuid) {
  const headers = { "Content-Type": "application/json", ...condition(uuid) };
  const answer = await exchange("PUT", target(path), { body: text, headers });
  if (answer.status !== 200 && answer.status !== 201) {
    throw refusal(answer);
  }
  return JSON.parse(answer.text);
}

/** Deletes the key if `uuid` is what is live under it. */
export async function deleteValue(path, uuid) {
  const answer = await exchange("DELETE", target(path), { headers: condition(uuid) });
  if (answer.status !== 204) {
    throw refusal(answer);
  }
}

function base64url(data) {
  return btoa(String.fromCharCode(...data)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * The cursor just before all names that begin with `prefix`: its bytes, the last one smaller by one, then a byte that no
 * name has.
 */
export function cursorBefore(prefix) {
  const data = new TextEncoder().encode(prefix);
  data[data.length - 1] -= 1;
  return base64url([...data, 0xff]);
}

/** A page of what is below `folder` ("" or "users/"). */
export function list(folder, { recursive = false, limit, after } = {}) {
  const query = new URLSearchParams({ recursive, limit });
  if (after) {
    query.set("after", after);
  }
  return read(`${target(folder)}?${query}`);
}
