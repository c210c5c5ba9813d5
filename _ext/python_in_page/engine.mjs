// Starts Pyodide from a memory that was prepared when the book was built, in a second instead of ten.
//
// A snapshot of Pyodide's memory is complete only with what lives outside of it: the libraries of
// numpy and its kin, and the files. Libraries are placed in memory in the order they are loaded, so
// here they are loaded *before* Python starts, always in the same order: then they lie where they
// lay when the snapshot was taken. Their constructors must not run then (some need Python, and what
// they did is in the snapshot), so the build renames the export `__wasm_call_ctors` in each of them.
// Functions that Python looked up later stand in a table, which is filled again as it was. Where each
// library was placed is compared: a memory that does not fit is refused, not run.

const SITE = "/lib/python3.14/site-packages/";
// Both stand in memory before the libraries do, and would shift them where they differ in length.
const PROGRAM = "python";
const ENVIRONMENT = { HOME: "/home/pyodide", LANG: "C.UTF-8" };

/** The files of one pack: a length, an index {path: [start, size]} as JSON, then their bytes. */
export function unpack(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const size = view.getUint32(0, true);
  const index = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
  const files = new Map();
  for (const [path, [start, length]] of Object.entries(index)) {
    files.set(path, bytes.subarray(4 + size + start, 4 + size + start + length));
  }
  return files;
}

const isLibrary = (path) => path.endsWith(".so");

/** Compile the libraries of a pack, all at once. */
export function compileLibraries(files) {
  const libraries = [...files].filter(([path]) => isLibrary(path));
  return Promise.all(libraries.map(async ([path, bytes]) => [path, await WebAssembly.compile(bytes)]));
}

function writeFiles(module, files) {
  const folders = new Set();
  for (const [path, bytes] of files) {
    const full = SITE + path;
    const folder = full.slice(0, full.lastIndexOf("/"));
    if (!folders.has(folder)) module.FS.mkdirTree(folder);
    folders.add(folder);
    module.FS.writeFile(full, bytes, { canOwn: true });
  }
}

function placeLibraries(module, libraries) {
  const placed = libraries.map(([path, compiled]) => {
    const name = SITE + path;
    const flags = { global: false, nodelete: true, allowUndefined: true, loadAsync: false };
    const library = module.newDSO(name, undefined, "loading");
    library.global = false;
    library.exports = module.loadWebAssemblyModule(compiled, flags, name, {}, undefined);
    return { library, top: topOfHeap(module) };
  });
  return {
    libraries: placed.map(({ library }) => library),
    // Together these say where everything lies.
    places: [module.wasmTable.length, ...placed.map(({ top }) => top)],
  };
}

function topOfHeap(module) {
  const place = module._malloc(1 << 16); // larger than any hole
  module._free(place);
  return place;
}

/** Python's main, which Pyodide would have run before the libraries had their places. */
function startPython(module, settings) {
  const words = [PROGRAM, ...(settings.arguments ?? [])];
  const place = module.stackAlloc(4 * (words.length + 1));
  words.forEach((word, i) => (module.HEAPU32[place / 4 + i] = module.stringToUTF8OnStack(word)));
  module.HEAPU32[place / 4 + words.length] = 0;
  try {
    module.exitJS(module._main(words.length, place), true);
  } catch (error) {
    if (error?.name !== "ExitStatus") throw error; // Python is up when its main has "ended" well
    if (error.status !== 0) throw new Error(`Python did not start (status ${error.status})`);
  }
}

/**
 * Start Pyodide.
 *
 * `pyodide` and `factory` are the exports of pyodide.mjs and pyodide.asm.mjs, `files` those of the
 * pack, `libraries` what compileLibraries made of them. With `snapshot` {memory, table, handles} the
 * memory is taken from there; without, Python starts from nothing, and what comes back can make one.
 */
export async function start({ pyodide, factory, files, libraries, snapshot, options }) {
  let placed;
  const createPyodideModule = async (settings) => {
    settings.noInitialRun = true;
    const module = await factory(settings);
    writeFiles(module, files);
    placed = placeLibraries(module, libraries);
    if (snapshot) {
      if (placed.places.join() !== snapshot.places.join()) {
        throw new Error("the prepared memory does not fit: libraries lie elsewhere here");
      }
      module.growMemory(snapshot.memory.byteLength);
      restoreTable(module, placed.libraries, snapshot);
    } else {
      startPython(module, settings);
      for (const { exports } of placed.libraries) exports.__wasm_call_ctorz?.();
    }
    return module;
  };
  const python = await pyodide.loadPyodide({
    env: ENVIRONMENT,
    _sysExecutable: PROGRAM,
    ...options,
    createPyodideModule,
    ...(snapshot ? { _loadSnapshot: snapshot.memory } : { _makeSnapshot: true }),
  });
  return { python, placed };
}

function restoreTable(module, libraries, { places, functions, handles }) {
  const named = new Map(libraries.map((library) => [library.name, library]));
  module.wasmTable.grow(functions.length);
  functions.forEach((found, i) => {
    if (found) module.wasmTable.set(places[0] + i, named.get(found[0]).exports[found[1]]);
  });
  for (const [handle, name] of Object.entries(handles)) {
    module.LDSO.loadedLibsByHandle[handle] = named.get(name);
  }
}

/** What belongs to the memory of `python` but lies outside of it, as JSON can carry it. */
export function outside(python, { libraries, places }) {
  const { wasmTable, LDSO } = python._module;
  const names = new Map();
  for (const { name, exports } of libraries) {
    for (const [symbol, value] of Object.entries(exports)) names.set(value, [name, symbol]);
  }
  const functions = [];
  for (let i = places[0]; i < wasmTable.length; i += 1) {
    const entry = wasmTable.get(i);
    const found = entry && names.get(entry); // null where one was taken and given back
    if (found === undefined) throw new Error(`entry ${i} of the table is no function of a library`);
    functions.push(found);
  }
  const handles = {};
  for (const [handle, { name }] of Object.entries(LDSO.loadedLibsByHandle)) {
    if (handle !== "0") handles[handle] = name;
  }
  return { places, functions, handles };
}
