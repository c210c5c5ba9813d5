// Makes the memory that Python in the page starts from; run by Node when the book is built.
//
//   node snapshot.mjs <folder with Pyodide> <pack> <prepare.py> <output folder>
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { compileLibraries, outside, start, unpack } from "./engine.mjs";

// Node would begin with the line that failed, a megabyte long, and end before the rest is told.
process.on("uncaughtException", (error) => {
  console.error(error?.message ?? error);
  process.exitCode = 1;
});
const [folder, packed, preparation, output] = process.argv.slice(2).map((path) => resolve(path));
const own = (name) => import(pathToFileURL(join(folder, name)));
const files = unpack(new Uint8Array(readFileSync(packed)));
const { python, placed } = await start({
  pyodide: await own("pyodide.mjs"),
  factory: (await own("pyodide.asm.mjs")).default,
  files,
  libraries: await compileLibraries(files),
  options: { indexURL: folder + "/" },
});
python.runPython(readFileSync(preparation, "utf8"));
const imported = python.runPython("import page_kernel; page_kernel.settle()");
const open = python._module.FS.streams.filter((stream) => stream && stream.fd > 2);
if (open.length) throw new Error(`files are open: ${open.map((stream) => stream.path)}`);
writeFileSync(join(output, "memory"), python.makeMemorySnapshot());
writeFileSync(join(output, "outside.json"), JSON.stringify(outside(python, placed)));
writeFileSync(join(output, "imported.json"), imported);
