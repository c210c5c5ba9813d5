// Python of one page, in a worker: a loop without end blocks nothing but itself, and can be ended.
//
// A classic worker made from a blob: URL, because a module worker does nothing from file://. The text
// of engine.mjs stands before this one. In: {boot}, {part, bytes, last}, {run}, {names}, {traits}.
// Out: what the kernel sends, and {ready}, {done}, {failed}, {loading}, {loaded}, {taken}, the answer to {traits}, for
// which nothing waits.
"use strict";

// Pyodide refuses classic workers by asking whether importScripts works; all else it needs is here.
Object.defineProperty(self, "importScripts", {
  value: () => {
    throw new TypeError("not in this worker");
  },
});

const MADE_UP = "https://python.invalid/"; // whatever is asked for there is answered from memory
const answers = {}; // file name -> function that returns a Response
const incoming = {}; // part -> {stream, controller}, filled by the page where nothing can be fetched
let home = null; // address of the parts, or null where they come by message
let later = {}; // module -> parts it needs
const added = new Set(); // parts of these that are here
let python = null;
let kernel = null;

const realFetch = self.fetch;
self.fetch = (input, options) => {
  const address = String(input.url ?? input);
  const answer = address.startsWith(MADE_UP) && answers[address.slice(MADE_UP.length)];
  return answer ? Promise.resolve(answer()) : realFetch(input, options);
};

function arriving(part) {
  return (incoming[part] ??= (() => {
    let controller;
    const stream = new ReadableStream({ start: (given) => (controller = given) });
    return { stream, controller };
  })());
}

/** The bytes of a part, decompressed as they come. */
async function streamOf(part) {
  let stream;
  if (home) {
    const response = await realFetch(new URL(`${part}.bin`, home));
    if (!response.ok) throw new Error(`${part}.bin: ${response.status} ${response.statusText}`);
    stream = response.body;
  } else {
    stream = arriving(part).stream;
  }
  return new Response(stream.pipeThrough(new DecompressionStream("gzip")), {
    headers: { "Content-Type": part === "wasm" ? "application/wasm" : "application/octet-stream" },
  });
}

const bytesOf = async (part) => new Uint8Array(await (await streamOf(part)).arrayBuffer());

function importText(bytes) {
  const url = URL.createObjectURL(new Blob([bytes], { type: "text/javascript" }));
  return import(url).finally(() => URL.revokeObjectURL(url));
}

async function boot() {
  const [core, site, memory, wasm] = await Promise.all([
    bytesOf("core").then(unpack),
    bytesOf("site").then(unpack).then(async (files) => [files, await compileLibraries(files)]),
    bytesOf("memory"),
    streamOf("wasm"),
  ]);
  answers["pyodide.asm.wasm"] = () => wasm;
  answers["python_stdlib.zip"] = () => new Response(core.get("python_stdlib.zip"));
  const text = (name) => JSON.parse(new TextDecoder().decode(core.get(name)));
  const [pyodide, { default: factory }] = await Promise.all([
    importText(core.get("pyodide.mjs")),
    importText(core.get("pyodide.asm.mjs")),
  ]);
  ({ python } = await start({
    pyodide,
    factory,
    files: site[0],
    libraries: site[1],
    snapshot: { memory, ...text("outside.json") },
    options: { indexURL: MADE_UP, packageBaseUrl: MADE_UP, lockFileContents: text("lock.json") },
  }));
  kernel = python.pyimport("page_kernel");
  kernel.connect((message) => postMessage(JSON.parse(message)));
}

/** Add the packages that a cell imports and that can be had. */
async function addImports(source) {
  for (const name of JSON.parse(kernel.imports_of(source))) {
    for (const part of later[name] ?? []) {
      if (added.has(part)) continue;
      postMessage({ kind: "loading", part });
      writeFiles(python._module, unpack(await bytesOf(part)));
      added.add(part);
      postMessage({ kind: "loaded" });
    }
  }
  python.runPython("import importlib; importlib.invalidate_caches()");
}

async function run({ cell, source, shown }) {
  await addImports(source);
  return JSON.parse(kernel.run(String(cell), source, shown));
}

let queue = Promise.resolve(); // one thing after another
self.onmessage = ({ data }) => {
  if (data.part) {
    const { controller } = arriving(data.part);
    controller.enqueue(data.bytes);
    if (data.last) controller.close();
    return;
  }
  queue = queue.then(async () => {
    try {
      if (data.boot) {
        ({ home, later } = data.boot);
        await boot();
        postMessage({ kind: "ready" });
      } else if (data.run) {
        postMessage({ kind: "done", answer: await run(data.run) });
      } else if (data.names !== undefined) {
        postMessage({ kind: "done", answer: JSON.parse(kernel.needs_of(data.names)) });
      } else if (data.traits) {
        const { model, state } = data.traits;
        const failure = JSON.parse(kernel.set_traits(model, JSON.stringify(state)));
        postMessage({ kind: "taken", model, failure });
      }
    } catch (error) {
      postMessage({ kind: "failed", message: String(error?.message ?? error).slice(0, 500) });
    }
  });
};
